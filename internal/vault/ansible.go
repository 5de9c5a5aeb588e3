package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// envelope is an Ansible Vault as it is stored. See "Ansible Vault payload
// format 1.1 - 1.2" in Ansible's documentation.
type envelope struct{ salt, mac, sealed []byte }

// rounds is how often a password is hashed.
const rounds = 10_000

func parseEnvelope(text []byte) (e envelope, err error) {
	head, body, _ := strings.Cut(string(text), "\n")
	fields := strings.Split(strings.TrimSpace(head), ";")
	if len(fields) < 3 || fields[1] != "1.1" && fields[1] != "1.2" || fields[2] != "AES256" {
		return e, fmt.Errorf("the vault has the format %q; 1.1 and 1.2 with AES256 are known", strings.TrimSpace(head))
	}
	inner, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return e, fmt.Errorf("the vault is damaged: %w", err)
	}
	parts := bytes.Split(inner, []byte("\n"))
	if len(parts) != 3 {
		return e, errors.New("the vault is damaged: it does not have three parts")
	}
	for i, to := range []*[]byte{&e.salt, &e.mac, &e.sealed} {
		if *to, err = hex.DecodeString(string(parts[i])); err != nil {
			return e, fmt.Errorf("the vault is damaged: %w", err)
		}
	}
	return e, nil
}

func (e envelope) open(password string) ([]byte, error) {
	keys, err := pbkdf2.Key(sha256.New, password, e.salt, rounds, 32+32+aes.BlockSize)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, keys[32:64])
	mac.Write(e.sealed)
	if !hmac.Equal(mac.Sum(nil), e.mac) {
		return nil, ErrWrongKey
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(e.sealed))
	cipher.NewCTR(block, keys[64:]).XORKeyStream(plain, e.sealed)
	if len(plain) == 0 {
		return nil, errors.New("the vault is damaged: it is empty")
	}
	pad := int(plain[len(plain)-1]) // PKCS #7
	if pad < 1 || pad > aes.BlockSize || pad > len(plain) {
		return nil, errors.New("the vault is damaged: its padding makes no sense")
	}
	return plain[:len(plain)-pad], nil
}
