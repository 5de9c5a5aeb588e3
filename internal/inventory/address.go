package inventory

import (
	"net/netip"
	"regexp"
	"strings"
)

var (
	label     = `(?:\[[^\]]*:[^\]]*\]|[\pL\pN_])(?:[\pL\pN_-]|\[[^\]]*:[^\]]*\])*`
	hostname  = regexp.MustCompile(`^` + label + `(?:\.` + label + `)*$`)
	ipv4Range = regexp.MustCompile(`^(?:(?:\d{1,3}|\[\d+:\d+(?::\d+)?\])\.){3}(?:\d{1,3}|\[\d+:\d+(?::\d+)?\])$`)
)

// isAddress tells whether all of text is the address of one host, maybe with
// a port and ranges, so that its colons separate nothing.
func isAddress(text string) bool {
	name, _ := splitPort(text)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if ipv4Range.MatchString(name) {
		return true
	}
	if !hostname.MatchString(name) {
		return false
	}
	for l := range strings.SplitSeq(name, ".") {
		if strings.HasSuffix(l, "-") || strings.HasSuffix(l, "_") {
			return false
		}
	}
	return true
}
