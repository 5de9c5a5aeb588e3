package tracker

import (
	"bufio"
	"fmt"
	"os"
)

// Ledger is what a simulated tracker has written, in the order of writing.
type Ledger struct {
	sum, total int64 // of the database before the first write
	entries    []entry
}

// entry says that a torrent's count became count.
type entry struct {
	hash  string
	count int64
}

func ReadLedger(path string) (*Ledger, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &Ledger{}
	r := bufio.NewReader(f)
	if _, err := fmt.Fscanln(r, &l.sum, &l.total); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	for s := bufio.NewScanner(r); s.Scan(); {
		var e entry
		if _, err := fmt.Sscan(s.Text(), &e.hash, &e.count); err != nil {
			break // the last line of a tracker that was killed
		}
		l.entries = append(l.entries, e)
	}
	return l, nil
}

// countsAfter returns the count of every torrent that was ever written, as it
// was after the first n writes.
func (l *Ledger) countsAfter(n int64) map[string]int64 {
	counts := map[string]int64{}
	for i, e := range l.entries {
		_, known := counts[e.hash]
		switch {
		case int64(i) < n:
			counts[e.hash] = e.count
		case !known:
			counts[e.hash] = e.count - 1 // written later: as it was at first
		}
	}
	return counts
}
