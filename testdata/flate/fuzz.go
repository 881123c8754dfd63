// fuzz compresses standard input to standard output in writes of the given sizes, over and over, without header or trailer.
// Usage: fuzz version | fuzz go|klauspost|pgzip|zstd LEVEL BLOCK_SIZE SIZE...
package main

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	found, err := strconv.Atoi(text)
	fail(err)
	return found
}

func writer(family string, level int, block int, out io.Writer) (io.WriteCloser, error) {
	switch family {
	case "go":
		return stdflate.NewWriter(out, level)
	case "klauspost":
		return flate.NewWriter(out, level)
	case "zstd":
		return zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.EncoderLevel(level)))
	}
	w, err := pgzip.NewWriterLevel(out, level)
	if err == nil {
		err = w.SetConcurrency(block, 2)
	}
	return w, err
}

func main() {
	if os.Args[1] == "version" {
		fmt.Println(runtime.Version())
		return
	}
	plain, err := io.ReadAll(os.Stdin)
	fail(err)
	var out bytes.Buffer
	w, err := writer(os.Args[1], number(os.Args[2]), number(os.Args[3]), &out)
	fail(err)
	for turn, sizes := 0, os.Args[4:]; len(plain) > 0; turn++ {
		size := number(sizes[turn%len(sizes)])
		if size > len(plain) {
			size = len(plain)
		}
		_, err = w.Write(plain[:size])
		fail(err)
		plain = plain[size:]
	}
	fail(w.Close())
	stream := out.Bytes()
	if os.Args[1] == "pgzip" {
		stream = stream[10 : len(stream)-8]
	}
	_, err = os.Stdout.Write(stream)
	fail(err)
}
