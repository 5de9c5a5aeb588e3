package sqlitecopy

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/zeebo/xxh3"
)

// pages is what the receiver has been sent: the hash of each page. The seed
// is drawn anew for each copy, since what is in a tracker's database is
// chosen by strangers: nobody can make pages that collide.
type pages struct {
	size   int // of a page
	seed   uint64
	hashes []uint64
}

// patch is bytes that differ from what was sent. Its data is a copy.
type patch struct {
	offset int64
	data   []byte
}

// errArena reports more changed bytes than may be kept in memory.
var errArena = errors.New("too much has changed to keep it in memory")

// arenaCap bounds the patches that are kept in memory.
const arenaCap = 256 << 20

// workers is how many read and hash at once.
func workers() int { return min(runtime.NumCPU(), 4) }

// compare hashes one block, whose first page is number first, and returns the
// pages that differ from what was sent, in runs. It keeps the new hashes.
func (p *pages) compare(first int, block []byte) []patch {
	var out []patch
	open := false // the last patch ends where this page begins
	for at := 0; at < len(block); at += p.size {
		page := block[at:min(at+p.size, len(block))]
		h := xxh3.HashSeed(page, p.seed)
		n := first + at/p.size
		if n < len(p.hashes) && p.hashes[n] == h {
			open = false
			continue
		}
		if n < len(p.hashes) {
			p.hashes[n] = h
		}
		if open && len(out[len(out)-1].data)+len(page) <= maxRecord {
			last := &out[len(out)-1]
			last.data = append(last.data, page...)
			continue
		}
		out = append(out, patch{int64(n) * int64(p.size), append([]byte(nil), page...)})
		open = true
	}
	return out
}

// grow makes room for the hashes of so many pages. New ones differ from any
// page: hash 0 is possible, but then the page is only taken for unchanged if
// it was never sent, so they are marked by being sent in any case; see fresh.
func (p *pages) grow(count int) (fresh int) {
	fresh = min(len(p.hashes), count)
	if count > len(p.hashes) {
		p.hashes = append(p.hashes, make([]uint64, count-len(p.hashes))...)
	}
	p.hashes = p.hashes[:count]
	return fresh
}

// scan hashes count pages, block by block, on several cores, and returns what
// differs. read returns the bytes of a block. stop is asked between blocks; an
// error of it ends the scan.
func (p *pages) scan(count int, read func(buf []byte, offset int64) ([]byte, error), stop func(kept int64) error) ([]patch, error) {
	fresh := p.grow(count)
	perBlock := blockBytes(p.size) / p.size
	blocks := (count + perBlock - 1) / perBlock
	var mu sync.Mutex
	var out []patch
	var kept int64
	var failed error
	next := 0
	take := func(found []patch) (block int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		for _, f := range found {
			out, kept = append(out, f), kept+int64(len(f.data))
		}
		if failed == nil {
			failed = stop(kept)
		}
		if failed != nil || next == blocks {
			return 0, false
		}
		next++
		return next - 1, true
	}
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = err
		}
	}
	var wait sync.WaitGroup
	for range min(workers(), max(blocks, 1)) {
		wait.Go(func() {
			buf := make([]byte, blockBytes(p.size))
			var found []patch
			for {
				b, ok := take(found)
				if !ok {
					return
				}
				first := b * perBlock
				n := min(perBlock, count-first) * p.size
				block, err := read(buf[:n], int64(first)*int64(p.size))
				if err != nil {
					fail(err)
					return
				}
				if first+perBlock > fresh {
					found = p.compareFresh(first, block, fresh)
				} else {
					found = p.compare(first, block)
				}
			}
		})
	}
	wait.Wait()
	return out, failed
}

// compareFresh is compare for a block with pages that were never sent.
func (p *pages) compareFresh(first int, block []byte, fresh int) []patch {
	for at := 0; at < len(block); at += p.size {
		if n := first + at/p.size; n >= fresh {
			p.hashes[n] = ^xxh3.HashSeed(block[at:min(at+p.size, len(block))], p.seed)
		}
	}
	return p.compare(first, block)
}

// digest returns the digest of the hashes of all pages.
func (p *pages) digest() string {
	d := newDigest()
	for _, h := range p.hashes {
		d.add(h)
	}
	return d.hex()
}

// preadBlocks reads blocks without a lock. The file may shrink meanwhile: what
// is not there any more reads as zeros, and is cut off or sent again later.
func preadBlocks(ctx context.Context, f *os.File) func([]byte, int64) ([]byte, error) {
	return func(buf []byte, offset int64) ([]byte, error) {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		n, err := f.ReadAt(buf, offset)
		clear(buf[n:])
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return buf, nil
	}
}
