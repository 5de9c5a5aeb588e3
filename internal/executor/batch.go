package executor

import (
	"math"

	"github.com/torrust/runner/internal/plan"
)

// batches splits hosts by serial. The last entry repeats; a percentage is of
// all hosts, and at least one.
func batches(hosts []*host, serial []plan.Batch) [][]*host {
	if len(serial) == 0 {
		return [][]*host{hosts}
	}
	var out [][]*host
	for i, rest := 0, hosts; len(rest) > 0; i++ {
		entry := serial[min(i, len(serial)-1)]
		size := entry.Count
		if size == 0 {
			size = int(math.Floor(float64(len(hosts)) * entry.Percent / 100))
		}
		size = min(max(size, 1), len(rest))
		out, rest = append(out, rest[:size]), rest[size:]
	}
	return out
}
