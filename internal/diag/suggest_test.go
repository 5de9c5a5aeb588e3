package diag

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"tags", "tasks", "hosts", "handlers", "become", "become_user"}
	for word, want := range map[string]string{
		"taks": "tasks", "tgas": "tags", "host": "hosts", "HOSTS": "hosts", "handelrs": "handlers", "becom_user": "become_user",
		"nothing": "", "": "", "x": "",
	} {
		assert.Equal(t, want, Suggest(word, known), word)
	}
}
