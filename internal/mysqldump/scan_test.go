package mysqldump

import (
	"crypto/sha256"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryCut: a dump that ends too early lacks its footer, at whichever byte
// it was cut, even if all else agrees.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	dump := []byte(dumpText(1500))
	require.Greater(t, len(dump), 1<<16)
	s := newScanner(io.Discard, sha256.New())
	for i := range dump {
		if s.whole(1) == nil {
			t.Fatalf("a dump of %d bytes passes that is cut to %d", len(dump), i)
		}
		_, err := s.Write(dump[i : i+1])
		require.NoError(t, err)
	}
	require.NoError(t, s.whole(1))
	assert.True(t, s.has(table{"torrust_tracker", "torrents"}))
}

func TestScan(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dump string
		want []table
	}{
		"MariaDB's sandbox line": {"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n--\n-- Host: localhost    Database: tracker\nCREATE TABLE `a` (\n-- Dump completed on 2026-01-01  3:00:00\n", []table{{"tracker", "a"}}},
		"several databases":      {"-- MySQL dump 10.13\n-- Host: localhost    Database: one\n-- Current Database: `one`\nCREATE TABLE `a` (\n-- Current Database: `tw``o`\nCREATE TABLE `b``c` (\n-- Dump completed\n", []table{{"one", "a"}, {"tw`o", "b`c"}}},
	} {
		s := newScanner(io.Discard, sha256.New())
		_, err := io.WriteString(s, tt.dump)
		require.NoError(t, err)
		require.NoError(t, s.whole(1), name)
		assert.Len(t, s.found, len(tt.want), name)
		for _, w := range tt.want {
			assert.True(t, s.has(w), "%s: %s", name, w)
		}
	}
	s := newScanner(io.Discard, sha256.New())
	_, _ = io.WriteString(s, "-- MySQL dump\nINSERT INTO `a` VALUES ('x\\n-- Dump completed\\nCREATE TABLE `b` (');\n")
	assert.Error(t, s.whole(1), "what stands within a value is no footer")
	assert.Empty(t, s.found)
}

// FuzzScan: what a scanner sees does not depend on how the bytes come, and its
// memory is bounded.
func FuzzScan(f *testing.F) {
	f.Add([]byte(dumpText(3)), uint8(7))
	f.Add([]byte("-- Current Database: ``````\nCREATE TABLE `\n\n-- Dump completed"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		whole, pieces := newScanner(io.Discard, sha256.New()), newScanner(io.Discard, sha256.New())
		_, _ = whole.Write(data)
		for piece := range slices.Chunk(data, int(size)+1) {
			_, _ = pieces.Write(piece)
			if len(pieces.head) > maxHead {
				t.Fatal("the line is kept")
			}
		}
		if (whole.whole(1) == nil) != (pieces.whole(1) == nil) || whole.last != pieces.last || len(whole.found) != len(pieces.found) || whole.sum() != pieces.sum() {
			t.Fatalf("%+v\n%+v", whole, pieces)
		}
	})
}
