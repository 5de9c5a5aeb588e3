// Package vault owns reading encrypted text: Ansible Vault, formats 1.1 and
// 1.2, and age (https://age-encryption.org/v1). It only reads: ansible-vault
// and age write.
//
// It never knows where a text comes from, nor where its keys are kept.
package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Keys open encrypted text. Its functions are called once, when the first text
// of their kind is met. It is safe for concurrent use.
type Keys struct {
	// Passwords returns what to try on an Ansible Vault.
	Passwords func() ([]string, error)
	// Identities returns what to try on an age file.
	Identities func() ([]age.Identity, error)

	passwords  once[[]string]
	identities once[[]age.Identity]
}

type once[T any] struct {
	sync.Once
	v   T
	err error
}

func (o *once[T]) get(f func() (T, error)) (T, error) {
	o.Do(func() {
		if f != nil {
			o.v, o.err = f()
		}
	})
	return o.v, o.err
}

// What an encrypted text begins with.
const (
	vaultMark = "$ANSIBLE_VAULT;"
	ageMark   = "age-encryption.org/v1"
)

// Encrypted tells whether text is encrypted in a way that Open may know.
func Encrypted(text []byte) bool {
	return bytes.HasPrefix(text, []byte(vaultMark)) || isAge(text)
}

func isAge(text []byte) bool {
	return bytes.HasPrefix(text, []byte(ageMark)) || bytes.HasPrefix(text, []byte(armor.Header))
}

// The reasons why a text stays closed.
var (
	ErrNoKey    = errors.New("it is encrypted, and no key was given")
	ErrWrongKey = errors.New("it is encrypted, and no key that was given opens it")
)

// Open decrypts a text.
func (k *Keys) Open(text []byte) ([]byte, error) {
	if isAge(text) {
		return k.openAge(text)
	}
	passwords, err := k.passwords.get(k.Passwords)
	if err != nil {
		return nil, err
	}
	e, err := parseEnvelope(text)
	if err != nil {
		return nil, err
	}
	if len(passwords) == 0 {
		return nil, ErrNoKey
	}
	for _, password := range passwords {
		if plain, err := e.open(password); err == nil {
			return plain, nil
		} else if !errors.Is(err, ErrWrongKey) {
			return nil, err
		}
	}
	return nil, ErrWrongKey
}

func (k *Keys) openAge(text []byte) ([]byte, error) {
	identities, err := k.identities.get(k.Identities)
	if err != nil {
		return nil, err
	}
	if len(identities) == 0 {
		return nil, ErrNoKey
	}
	var r io.Reader = bytes.NewReader(text)
	if bytes.HasPrefix(text, []byte(armor.Header)) {
		r = armor.NewReader(r)
	}
	plain, err := age.Decrypt(r, identities...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, ErrWrongKey
	}
	if err != nil {
		return nil, fmt.Errorf("age: %w", err)
	}
	return io.ReadAll(plain)
}
