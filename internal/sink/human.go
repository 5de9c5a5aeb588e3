package sink

import (
	"fmt"
	"time"
)

// humanBytes is a number of bytes for people: "97.3 MiB".
func humanBytes(n int64) string {
	const units = "KMGTPE"
	f, u := float64(n), -1
	for f >= 1024 && u < len(units)-1 {
		f, u = f/1024, u+1
	}
	if u < 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %ciB", f, units[u])
}

// humanTime is a duration for people: "840 ms", "12.3 s", "4m05s", "2h03m".
func humanTime(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

func count(n int, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %ss", n, singular)
}
