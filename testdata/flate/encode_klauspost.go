// encode_klauspost compresses standard input to standard output, without header or trailer.
// Usage: encode_klauspost LEVEL [PGZIP_BLOCK_SIZE]
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/pgzip"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "encode_klauspost:", err)
		os.Exit(1)
	}
}

func main() {
	level, err := strconv.Atoi(os.Args[1])
	fail(err)
	var out bytes.Buffer
	var w io.WriteCloser
	if len(os.Args) < 3 {
		w, err = flate.NewWriter(&out, level)
		fail(err)
	} else {
		size, err := strconv.Atoi(os.Args[2])
		fail(err)
		z, err := pgzip.NewWriterLevel(&out, level)
		fail(err)
		fail(z.SetConcurrency(size, 2))
		w = z
	}
	// Neither side may choose another way than a buffer of 32 KiB.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bufio.NewReaderSize(os.Stdin, 1<<20)}, make([]byte, 32<<10))
	fail(err)
	fail(w.Close())
	stream := out.Bytes()
	if len(os.Args) > 2 {
		stream = stream[10 : len(stream)-8]
	}
	_, err = os.Stdout.Write(stream)
	fail(err)
}
