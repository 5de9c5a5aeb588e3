package tasks

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// convert sets dst to v, which is a JSON-like value.
func convert(dst reflect.Value, v any) error {
	var out any
	var err error
	switch dst.Interface().(type) {
	case string:
		out, err = text(v)
	case Mode:
		out, err = mode(v)
	case bool:
		out, err = boolean(v)
	case int, int64:
		var i int64
		if i, err = integer(v); err == nil {
			dst.SetInt(i)
		}
		return err
	case float64:
		out, err = number(v)
	case Size:
		var s string
		if s, err = text(v); err == nil {
			out, err = ParseSize(s)
		}
	case time.Duration:
		var s string
		if s, err = text(v); err == nil {
			out, err = ParseDuration(s)
		}
	case []string:
		out, err = stringList(v)
	case []any:
		out, err = list(v)
	case map[string]any:
		m, ok := v.(map[string]any)
		if !ok {
			err = fmt.Errorf("must be a mapping, this is %s", describe(v))
		}
		out = m
	default: // any
		if v != nil {
			dst.Set(reflect.ValueOf(v))
		}
		return nil
	}
	if err == nil {
		dst.Set(reflect.ValueOf(out))
	}
	return err
}

func describe(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "a boolean"
	case int, int64, float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return fmt.Sprintf("%T", v)
}

func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	}
	return "", fmt.Errorf("must be a string, this is %s", describe(v))
}

func mode(v any) (Mode, error) {
	switch v := v.(type) {
	case string:
		m := Mode(v)
		_, err := m.Bits(0)
		return m, err
	case int:
		return Mode(fmt.Sprintf("%04o", v)), nil
	case int64:
		m := Mode(fmt.Sprintf("%04o", v))
		_, err := m.Bits(0)
		if err == nil && (v == 644 || v == 600 || v == 640 || v == 755 || v == 750 || v == 700) {
			return "", fmt.Errorf(`mode %d is a decimal number; write "0%d"`, v, v)
		}
		return m, err
	}
	return "", fmt.Errorf(`must be a mode such as "0640", this is %s`, describe(v))
}

func boolean(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case int64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "yes", "true", "on", "1", "y", "t":
			return true, nil
		case "no", "false", "off", "0", "n", "f", "":
			return false, nil
		}
		return false, fmt.Errorf("must be true or false, this is %q", v)
	}
	return false, fmt.Errorf("must be true or false, this is %s", describe(v))
}

func integer(v any) (int64, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case float64:
		if v == float64(int64(v)) {
			return int64(v), nil
		}
	case string:
		if i, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return i, nil
		}
		return 0, fmt.Errorf("must be an integer, this is %q", v)
	}
	return 0, fmt.Errorf("must be an integer, this is %s", describe(v))
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f, nil
		}
	}
	return 0, fmt.Errorf("must be a number, this is %s", describe(v))
}

func list(v any) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case map[string]any:
		return nil, errors.New("must be a list, this is a mapping")
	}
	return []any{v}, nil
}

func stringList(v any) ([]string, error) {
	if s, ok := v.(string); ok {
		var out []string
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		return out, nil
	}
	items, err := list(v)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		if out[i], err = text(item); err != nil {
			return nil, fmt.Errorf("item %d %w", i+1, err)
		}
	}
	return out, nil
}

// Bool reads a boolean as people write it in a playbook, for a parameter that
// may also be missing and is therefore of type any.
func Bool(v any) (bool, error) { return boolean(v) }
