// estargz makes an estargz layer of the tar stream in a file, on standard output.
// Usage: estargz FILE LEVEL
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/containerd/stargz-snapshotter/estargz"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "estargz:", err)
		os.Exit(1)
	}
}

func main() {
	file, err := os.Open(os.Args[1])
	fail(err)
	about, err := file.Stat()
	fail(err)
	level, err := strconv.Atoi(os.Args[2])
	fail(err)
	layer, err := estargz.Build(io.NewSectionReader(file, 0, about.Size()), estargz.WithCompressionLevel(level))
	fail(err)
	_, err = io.Copy(os.Stdout, layer)
	fail(err)
}
