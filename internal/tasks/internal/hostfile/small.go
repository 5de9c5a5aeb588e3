package hostfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/torrust/runner/internal/tasks"
)

// MaxSmall is the largest file that is held in memory.
const MaxSmall = 16 << 20

var errTooLong = errors.New("too long")

// limited refuses more than it may hold. The buffer is not embedded: io.Copy
// would find its ReadFrom, and no limit.
type limited struct {
	b   bytes.Buffer
	max int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > l.max {
		return 0, errTooLong
	}
	return l.b.Write(p)
}

// Read returns the content of a file of the host that is not larger than
// MaxSmall.
func Read(ctx context.Context, h tasks.Host, path string) ([]byte, error) {
	l := limited{max: MaxSmall}
	if _, err := h.Conn.Get(ctx, path, &l); errors.Is(err, errTooLong) {
		return nil, fmt.Errorf("%s is larger than %s", path, tasks.Size(MaxSmall))
	} else if err != nil {
		return nil, err
	}
	return l.b.Bytes(), nil
}
