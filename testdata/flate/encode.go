// encode compresses standard input to standard output, without header or trailer.
// Usage: encode LEVEL
package main

import (
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"strconv"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "encode:", err)
		os.Exit(1)
	}
}

func main() {
	level, err := strconv.Atoi(os.Args[1])
	fail(err)
	out := bufio.NewWriter(os.Stdout)
	w, err := flate.NewWriter(out, level)
	fail(err)
	// Neither side may choose another way than a buffer of 32 KiB.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bufio.NewReaderSize(os.Stdin, 1<<20)}, make([]byte, 32<<10))
	fail(err)
	fail(w.Close())
	fail(out.Flush())
}
