package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/torrust/runner/internal/sqlitecopy"
)

// copySQLite sends a copy of a live database; see package sqlitecopy.
func copySQLite(ctx context.Context, raw json.RawMessage, out io.Writer) (any, error) {
	var p sqlitecopy.Params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("sqlite_copy: %v", err)
	}
	t, err := sqlitecopy.Send(ctx, p, out)
	if refused, ok := errors.AsType[*sqlitecopy.Error](err); ok {
		return nil, &Failure{refused.Code, refused.Msg}
	}
	return t, err
}
