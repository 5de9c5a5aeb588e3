package sqlitecopy

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/zeebo/xxh3"
)

const (
	maxPasses   = 4
	maxAttempts = 5
	smallDelta  = 64 << 20 // more passes are for what changes by more
	retryPause  = 2 * time.Second
	// idleAge is how old the last write must be for a database to be taken
	// for idle. Time stamps of files are coarse: one that is this old tells
	// of any later write.
	idleAge = time.Second
)

// Send writes a copy of the database to w. The trailer is what the receiver
// needs to finish. Nothing is written to the host.
func Send(ctx context.Context, p Params, w io.Writer) (Trailer, error) {
	p.MaxLock, p.LockWait = cmp.Or(p.MaxLock, DefaultMaxLock), cmp.Or(p.LockWait, DefaultLockWait)
	src, h, err := open(p.Path)
	if err != nil {
		return Trailer{}, err
	}
	defer src.close()
	c := &copier{ctx: ctx, p: p, src: src, w: w, sent: &pages{size: h.pageSize, seed: randomSeed()}}
	if h.wal {
		return c.runWAL()
	}
	return c.run()
}

func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])
}

// copier is one copy.
type copier struct {
	ctx  context.Context
	p    Params
	src  *source
	w    io.Writer
	sent *pages
	t    Trailer
}

func (c *copier) run() (Trailer, error) {
	c.t = Trailer{PageSize: c.sent.size, Seed: c.sent.seed}
	before, err := c.look()
	if err != nil {
		return c.t, err
	}
	if err := c.firstPass(); err != nil {
		return c.t, err
	}
	if before.old {
		if idle, err := c.wasIdle(before); err != nil || idle {
			return c.t, err
		}
	}
	for attempt := 1; ; attempt++ {
		c.t.Attempts = attempt
		took, err := c.unlockedPasses()
		if err != nil {
			return c.t, err
		}
		if err := c.predict(took); err != nil {
			if attempt == maxAttempts {
				return c.t, err
			}
			// The host may have been busy with something else.
			if err := pause(c.ctx, retryPause); err != nil {
				return c.t, err
			}
			continue
		}
		win, err := c.src.locked(c.ctx, c.p, c.sent)
		c.t.LockHeldMS = max(c.t.LockHeldMS, ms(win.held))
		c.t.LockWaitMS = max(c.t.LockWaitMS, ms(win.waited))
		if sendErr := c.send(win.patches); sendErr != nil {
			return c.t, sendErr
		}
		switch {
		case err == nil:
			for _, patch := range win.patches {
				c.t.PatchedPages += (len(patch.data) + c.sent.size - 1) / c.sent.size
			}
			return c.finish(MethodDelta, win.size, win.header), nil
		case attempt == maxAttempts && (errors.Is(err, errBudget) || errors.Is(err, errArena)):
			return c.t, refuse(CodeBudget, "%s: %v; %d attempts, each of at most %s", c.src.path, err, attempt, hardBudget(c.p))
		case !errors.Is(err, errBudget) && !errors.Is(err, errArena):
			return c.t, err
		}
		if err := pause(c.ctx, retryPause); err != nil {
			return c.t, err
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *copier) finish(method string, size int64, h header) Trailer {
	c.t.Method, c.t.Size, c.t.ChangeCounter, c.t.Digest = method, size, h.changeCounter, c.sent.digest()
	return c.t
}

// sample is what a file looked like while nobody wrote to it.
type sample struct {
	size         int64
	counter      uint32
	mtime, ctime syscall.Timespec
	old          bool // the last write is long enough ago
	header       header
}

// look takes a sample under the SHARED lock, held for an instant: so no write
// is under way.
func (c *copier) look() (s sample, err error) {
	asked := time.Now()
	if err := lockShared(c.ctx, c.src.f, c.p.LockWait); err != nil {
		return s, err
	}
	began := time.Now()
	h, info, err := c.src.settled()
	err = errors.Join(err, unlockShared(c.src.f))
	c.t.LockHeldMS = max(c.t.LockHeldMS, ms(time.Since(began)))
	c.t.LockWaitMS = max(c.t.LockWaitMS, ms(began.Sub(asked)))
	if err != nil {
		return s, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return s, errors.New("the system tells nothing about the file")
	}
	s = sample{size: info.Size(), counter: h.changeCounter, mtime: st.Mtim, ctime: st.Ctim, header: h}
	s.old = time.Since(info.ModTime()) >= idleAge
	return s, nil
}

// wasIdle tells whether nobody has written since before: then what was sent
// is the database already. The change counter alone would not do: a
// transaction that was rolled back leaves it as it was.
func (c *copier) wasIdle(before sample) (bool, error) {
	after, err := c.look()
	if err != nil {
		return false, err
	}
	after.old = before.old
	if after != before || before.size%int64(c.sent.size) != 0 || len(c.sent.hashes) != int(before.size/int64(c.sent.size)) {
		return false, nil
	}
	c.finish(MethodIdle, before.size, before.header)
	return true, nil
}

// firstPass sends the whole file as it is.
func (c *copier) firstPass() error {
	info, err := c.src.f.Stat()
	if err != nil {
		return err
	}
	c.t.Passes = 1
	read := preadBlocks(c.ctx, c.src.f)
	buf := make([]byte, blockBytes(c.sent.size))
	count := int(info.Size() / int64(c.sent.size))
	for first := 0; first < count; first += len(buf) / c.sent.size {
		block, err := read(buf[:min(len(buf), (count-first)*c.sent.size)], int64(first)*int64(c.sent.size))
		if err != nil {
			return err
		}
		for at := 0; at < len(block); at += c.sent.size {
			c.sent.hashes = append(c.sent.hashes, xxh3.HashSeed(block[at:at+c.sent.size], c.sent.seed))
		}
		if err := writeRecord(c.w, int64(first)*int64(c.sent.size), block); err != nil {
			return err
		}
	}
	return nil
}

// unlockedPasses sends what changed since, until little does. It returns how
// long the last pass took to find that: what the lock would have to last for,
// or less.
func (c *copier) unlockedPasses() (time.Duration, error) {
	last := int64(-1)
	for {
		info, err := c.src.f.Stat()
		if err != nil {
			return 0, err
		}
		c.t.Passes++
		began := time.Now()
		patches, err := c.sent.scan(int(info.Size()/int64(c.sent.size)), preadBlocks(c.ctx, c.src.f), func(kept int64) error {
			if kept > arenaCap {
				return errArena
			}
			return nil
		})
		took := time.Since(began)
		if err != nil && !errors.Is(err, errArena) {
			return 0, err
		}
		if sendErr := c.send(patches); sendErr != nil {
			return 0, sendErr
		}
		var changed int64
		for _, p := range patches {
			changed += int64(len(p.data))
		}
		settled := err == nil && (changed <= smallDelta || last >= 0 && changed*2 > last)
		if settled || c.t.Passes >= maxPasses*c.t.Attempts {
			return took, nil
		}
		last = changed
	}
}

// predict refuses a lock that would last too long, or that would have to wait
// for the disk.
func (c *copier) predict(took time.Duration) error {
	if took > c.p.MaxLock {
		return refuse(CodeBudget, "%s would have to be locked for about %s, %s are allowed", c.src.path, took.Round(time.Millisecond), c.p.MaxLock)
	}
	mapping, unmap, err := c.src.mapFile()
	if err != nil {
		return err
	}
	defer unmap()
	if missing := cold(mapping); missing*100 > int64(len(mapping))*maxCold {
		return refuse(CodeBudget, "%s does not fit into the host's memory: %d of %d MB would have to be read from disk under the lock", c.src.path, missing>>20, len(mapping)>>20)
	}
	return nil
}

func (c *copier) send(patches []patch) error {
	for _, p := range patches {
		if err := writeRecord(c.w, p.offset, p.data); err != nil {
			return err
		}
	}
	return nil
}
