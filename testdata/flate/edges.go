// edges prints a row of edges.tsv for each family of inputs: how the SHA-256 of their streams starts, at each level.
// Usage: edges go|klauspost|pgzip|zstd|zstd-8 ENCODER WRITTEN_BY BLOCK FOLDER LEVEL...
//
// Before each input and each stream stands its length in 4 bytes, the lowest first; streams are without header and trailer. The block is that of
// pgzip, `-` for the others. `zstd-8` writes 8 bytes before it lets the encoder read the rest; what is shorter makes nothing. A level of `-` is left out.
package main

import (
	"bytes"
	stdflate "compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "edges:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	found, err := strconv.Atoi(text)
	fail(err)
	return found
}

func writer(family string, level int, block string, out io.Writer) (io.WriteCloser, error) {
	switch family {
	case "go":
		return stdflate.NewWriter(out, level)
	case "klauspost":
		return flate.NewWriter(out, level)
	case "zstd", "zstd-8":
		return zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.EncoderLevel(level)))
	}
	w, err := pgzip.NewWriterLevel(out, level)
	if err == nil {
		err = w.SetConcurrency(number(block), 2)
	}
	return w, err
}

func stream(family string, level int, block string, plain []byte) []byte {
	if family == "zstd-8" && len(plain) < 8 {
		return nil
	}
	var out bytes.Buffer
	w, err := writer(family, level, block, &out)
	fail(err)
	if family == "zstd-8" {
		_, err = w.Write(plain[:8])
		fail(err)
		_, err = w.(*zstd.Encoder).ReadFrom(bytes.NewReader(plain[8:]))
		fail(err)
	} else {
		// Neither side may choose another way than a buffer of 32 KiB.
		_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bytes.NewReader(plain)}, make([]byte, 32<<10))
		fail(err)
	}
	fail(w.Close())
	if family == "pgzip" {
		return out.Bytes()[10 : out.Len()-8]
	}
	return out.Bytes()
}

func main() {
	family, encoder, by, block, folder := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	fail(err)
	for _, file := range files {
		fmt.Printf("%s\t%s\t%s\t%s", encoder, by, block, filepath.Base(file))
		for _, level := range os.Args[6:] {
			if level == "-" {
				fmt.Print("\t-")
				continue
			}
			rest, err := os.ReadFile(file)
			fail(err)
			hash := sha256.New()
			for len(rest) > 0 {
				length := binary.LittleEndian.Uint32(rest)
				plain := rest[4 : 4+length]
				rest = rest[4+length:]
				made := stream(family, number(level), block, plain)
				binary.Write(hash, binary.LittleEndian, uint32(len(made)))
				hash.Write(made)
			}
			fmt.Printf("\t%x", hash.Sum(nil)[:8])
		}
		fmt.Println()
	}
}
