package redact

// matcher is a trie of every text to mask. It is immutable.
type matcher struct {
	first [256]*node
}

type node struct {
	next map[byte]*node
	end  bool // a text to mask ends here
}

func newMatcher(forms map[string]bool) *matcher {
	m := &matcher{}
	for form := range forms {
		n := m.first[form[0]]
		if n == nil {
			n = &node{}
			m.first[form[0]] = n
		}
		for i := 1; i < len(form); i++ {
			child := n.next[form[i]]
			if child == nil {
				if n.next == nil {
					n.next = map[byte]*node{}
				}
				child = &node{}
				n.next[form[i]] = child
			}
			n = child
		}
		n.end = true
	}
	return m
}

// at returns the length of the longest text to mask which p begins with, 0 if
// there is none. open says that more bytes after p could make it longer.
func (m *matcher) at(p []byte) (length int, open bool) {
	n := m.first[p[0]]
	for i := 1; n != nil; i++ {
		if n.end {
			length = i
		}
		if i == len(p) {
			return length, n.next != nil
		}
		n = n.next[p[i]]
	}
	return length, false
}

// finds tells whether text holds anything to mask.
func (m *matcher) finds(text string) bool {
	raw := []byte(text)
	for i := range raw {
		if m.first[raw[i]] == nil {
			continue
		}
		if length, _ := m.at(raw[i:]); length > 0 {
			return true
		}
	}
	return false
}

// filter masks a stream. What it does at a byte depends only on the bytes
// that follow in the stream, never on how the stream is cut: that is why the
// masked result is the same for every cut.
type filter struct {
	held   []byte // bytes at whose first nothing can be decided yet
	masked int    // so many bytes of the stream belong to a mask already written
}

// feed takes the next piece of the stream, and hands what is safe to emit.
// end says that nothing follows. m may be nil.
func (f *filter) feed(m *matcher, p []byte, end bool, emit func([]byte)) {
	buf := p
	if len(f.held) > 0 {
		buf = append(f.held, p...)
		f.held = nil
	}
	if m == nil {
		m = &matcher{}
	}
	plain := 0 // buf[plain:i] is not emitted yet and in no mask
	for i := range buf {
		length, open := 0, false
		if m.first[buf[i]] != nil {
			length, open = m.at(buf[i:])
		}
		if open && !end {
			emit(buf[plain:i])
			f.held = append([]byte(nil), buf[i:]...)
			return
		}
		if length > 0 && f.masked == 0 {
			emit(buf[plain:i])
			emit([]byte(Masked))
		}
		f.masked = max(f.masked, length)
		if f.masked > 0 {
			f.masked--
			plain = i + 1
		}
	}
	emit(buf[plain:])
}
