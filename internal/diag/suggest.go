package diag

import "strings"

// Suggest returns the word of known that word was most likely meant to be,
// or "" if none is near. Of words that are as near, the one that has more of
// its letters wins: "taks" is "tasks", not "tags".
func Suggest(word string, known []string) string {
	best, bestDist, bestShared := "", len(word)/3+1, -1
	lower := strings.ToLower(word)
	for _, k := range known {
		d := distance(lower, strings.ToLower(k))
		if d > bestDist {
			continue
		}
		if n := shared(lower, strings.ToLower(k)); d < bestDist || n > bestShared {
			best, bestDist, bestShared = k, d, n
		}
	}
	return best
}

// shared counts the letters that two words have in common.
func shared(a, b string) (n int) {
	left := map[rune]int{}
	for _, c := range a {
		left[c]++
	}
	for _, c := range b {
		if left[c] > 0 {
			left[c]--
			n++
		}
	}
	return n
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours each cost one.
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	prev2 := make([]int, len(rb)+1)
	prev := make([]int, len(rb)+1)
	cur := make([]int, len(rb)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		cur[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(rb)]
}
