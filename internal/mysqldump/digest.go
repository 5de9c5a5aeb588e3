package mysqldump

import (
	"crypto/sha256"
	"hash"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// digest is a program that a container may have, and what it computes. All of
// them find what was lost by accident.
type digest struct {
	program string
	name    string
	new     func() hash.Hash
}

// digests are the quickest first: b2sum reads 800 MB in the second where a
// sha256sum that does not know the processor's instructions reads 200 MB.
// BusyBox has no b2sum.
func digests() []digest {
	return []digest{
		{"b2sum", "blake2b-512", func() hash.Hash {
			h, _ := blake2b.New512(nil) // fails for a bad key only
			return h
		}},
		{"sha256sum", "sha256", sha256.New},
	}
}

// programs returns the names of the programs, for a script.
func programs() string {
	var out []string
	for _, d := range digests() {
		out = append(out, d.program)
	}
	return strings.Join(out, " ")
}

// digestBy returns the one of a program.
func digestBy(program string) (digest, bool) {
	for _, d := range digests() {
		if d.program == program {
			return d, true
		}
	}
	return digest{}, false
}
