package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Names of our own within a set. Everything that starts with a reserved
// prefix at the top of a set is ours to remove.
const (
	manifestName  = "manifest.json"
	sumsName      = "SHA256SUMS"
	partPrefix    = ".part-"
	scratchPrefix = ".scratch-"
	latestName    = "latest"

	progressMark   = ".inprogress-"
	incompleteMark = ".incomplete"
	removingMark   = ".removing-"
)

// maxFolder is the longest name of a folder that we make, below the 255 bytes
// of most file systems.
const maxFolder = 200

// hostFolder returns the name of a host's folder: the host's name, with every
// byte that could mean something to a file system or a shell written as %XX.
// Different hosts have different folders. A name too long for a file system
// is cut and ends in %~ and a digest of the whole name.
func hostFolder(host string) (string, error) {
	if host == "" {
		return "", errors.New("a backup set needs the name of its host")
	}
	var b strings.Builder
	for i := range len(host) {
		c := host[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
		if !plain || i == 0 && (c == '.' || host == latestName) {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	folder := b.String()
	if len(folder) > maxFolder {
		sum := sha256.Sum256([]byte(host))
		folder = folder[:maxFolder-34] + "%~" + hex.EncodeToString(sum[:16])
	}
	return folder, nil
}

// hostOf is the inverse of hostFolder. It is not ok for a name that was cut,
// and for folders that are none of ours.
func hostOf(folder string) (host string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(folder); i++ {
		if folder[i] != '%' {
			b.WriteByte(folder[i])
			continue
		}
		if i+2 >= len(folder) {
			return "", false
		}
		c, err := strconv.ParseUint(folder[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		i += 2
	}
	back, err := hostFolder(b.String())
	return b.String(), err == nil && back == folder
}

// CheckName says why name cannot be an artifact's: it must be a relative path
// with slashes that stays within the set and is not one of our own files.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("an artifact needs a name")
	case !utf8.ValidString(name):
		return fmt.Errorf("artifact name %q is not valid UTF-8", name)
	case strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, `\`):
		return fmt.Errorf("artifact name %q has a control character or a backslash", name)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("artifact name %q is absolute; it must be relative to the backup set", name)
	case !fs.ValidPath(name) || name == ".":
		return fmt.Errorf("artifact name %q is not a plain path within the backup set", name)
	case name == manifestName || name == sumsName || strings.HasPrefix(name, partPrefix) || strings.HasPrefix(name, scratchPrefix):
		return fmt.Errorf("artifact name %q is reserved", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 {
			return fmt.Errorf("artifact name %q has a part that is longer than 255 bytes", name)
		}
	}
	return nil
}

const idLayout = "20060102T150405Z"

var idRE = regexp.MustCompile(`^(\d{8}T\d{6}Z)(?:-([1-9]\d{0,5}))?$`)

// setID is the name of a set: when it began, and a number if several began in
// the same second.
type setID struct {
	time time.Time
	seq  int
}

func parseID(name string) (setID, bool) {
	m := idRE.FindStringSubmatch(name)
	if m == nil {
		return setID{}, false
	}
	t, err := time.Parse(idLayout, m[1])
	if err != nil {
		return setID{}, false
	}
	seq, _ := strconv.Atoi(m[2]) // empty is 0
	return setID{time: t, seq: seq}, true
}

func (id setID) String() string {
	s := id.time.UTC().Format(idLayout)
	if id.seq > 0 {
		s += "-" + strconv.Itoa(id.seq)
	}
	return s
}

func (id setID) compare(other setID) int {
	if c := id.time.Compare(other.time); c != 0 {
		return c
	}
	return id.seq - other.seq
}

// unfinishedID reads the name of an incomplete set: ".<id>.incomplete".
func unfinishedID(folder string) (setID, bool) {
	name, ok := strings.CutSuffix(strings.TrimPrefix(folder, "."), incompleteMark)
	if !ok || !strings.HasPrefix(folder, ".") {
		return setID{}, false
	}
	return parseID(name)
}
