package advice

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/helper"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	known := ByCode{"locked": "try later"}
	refused := &helper.Error{Code: "locked", Msg: "it is locked"}
	var hinter interface{ Hint() string }

	err := known.Explain(fmt.Errorf("copy: %w", refused))
	require.EqualError(t, err, "copy: it is locked")
	require.ErrorAs(t, err, &hinter)
	assert.Equal(t, "try later", hinter.Hint())
	require.ErrorIs(t, err, refused)

	told := known.With(errors.New("the window was broken"), refused)
	require.ErrorAs(t, told, &hinter)
	require.NotErrorIs(t, told, refused)

	for _, err := range []error{errors.New("another"), &helper.Error{Code: "unknown"}} {
		assert.Same(t, err, known.Explain(err))
	}
}
