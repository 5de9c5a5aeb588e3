package vault

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sealed are vaults that ansible-vault has written; the password is "secret1".
var sealed = map[string]string{
	"1.1": `$ANSIBLE_VAULT;1.1;AES256
61646163353535373739666365626638313336323361323165323036353161643363303239633037
6334666231366138323836353038393064363136633862660a633938386532353232326233333438
38393336333630636636346565663866333733313262633135623438633861356530316438616230
3062363731633038620a363462663237393066353232333339333261663834336537313265303437
35613931616564666662336437653962633234333238643930303965303234623831343565393035
3065646139623966376364323666646631336636346435303636
`,
	"1.2": `$ANSIBLE_VAULT;1.2;AES256;prod
30363163383132333234663732366630303131633162646435623035633339376361383462663263
6338373330626361383165373935356464613930393439330a383238623436333264653763363230
33393262316535363261643866306664613131363134386634633237303039326339306535363432
6436623831366238350a306637633564663432636566353562346439393635353261336463323937
38643738343763376666646332633666346238666535396161303633363135323535313736363934
6337633035333533626332303939376166393130623932653761
`,
}

const content = "db_password: hunter22\nlist: [a, tokentoken]\n"

func passwords(list ...string) *Keys {
	return &Keys{Passwords: func() ([]string, error) { return list, nil }}
}

func TestAnsible(t *testing.T) {
	t.Parallel()
	for version, text := range sealed {
		require.True(t, Encrypted([]byte(text)))
		plain, err := passwords("wrong", "secret1").Open([]byte(text))
		require.NoError(t, err, version)
		assert.Equal(t, content, string(plain))
		_, err = passwords("wrong").Open([]byte(text))
		require.ErrorIs(t, err, ErrWrongKey)
		_, err = new(Keys).Open([]byte(text))
		require.ErrorIs(t, err, ErrNoKey)
		for _, cut := range []int{30, 100, 250, len(text) - 20} {
			_, err = passwords("secret1").Open([]byte(text[:cut]))
			require.Error(t, err, cut)
		}
		// One digit that was changed is found.
		at := len(text) - 10
		changed := text[:at] + string('0'+(text[at]-'0'+1)%8) + text[at+1:]
		_, err = passwords("secret1").Open([]byte(changed))
		require.Error(t, err)
	}
	_, err := passwords("x").Open([]byte("$ANSIBLE_VAULT;1.0;AES\n00"))
	require.ErrorContains(t, err, "1.1 and 1.2")
}

// TestFromAnsible opens what the ansible-vault of this machine writes.
func TestFromAnsible(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ansible-vault"); err != nil {
		if os.Getenv("REQUIRE_ANSIBLE") != "" {
			require.NoError(t, err)
		}
		t.Skip("there is no ansible-vault on this machine")
	}
	dir := t.TempDir()
	for _, text := range []string{"", "x", content, strings.Repeat("0123456789abcde\n", 5000)} {
		path := filepath.Join(dir, "file")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.WriteFile(path+".pw", []byte("a pass phrase\n"), 0o600))
		out, err := exec.CommandContext(t.Context(), "ansible-vault", "encrypt", "--vault-password-file", path+".pw", path).CombinedOutput()
		require.NoError(t, err, "%s", out)
		encrypted, err := os.ReadFile(path)
		require.NoError(t, err)
		plain, err := passwords("a pass phrase").Open(encrypted)
		require.NoError(t, err)
		assert.Equal(t, text, string(plain))
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	var binary, armored bytes.Buffer
	w, err := age.Encrypt(&binary, id.Recipient())
	require.NoError(t, err)
	_, err = w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	a := armor.NewWriter(&armored)
	_, err = a.Write(binary.Bytes())
	require.NoError(t, err)
	require.NoError(t, a.Close())

	keys := func(ids ...age.Identity) *Keys {
		return &Keys{Identities: func() ([]age.Identity, error) { return ids, nil }}
	}
	for _, text := range [][]byte{binary.Bytes(), armored.Bytes()} {
		require.True(t, Encrypted(text))
		plain, err := keys(other, id).Open(text)
		require.NoError(t, err)
		assert.Equal(t, content, string(plain))
		_, err = keys(other).Open(text)
		require.ErrorIs(t, err, ErrWrongKey)
		_, err = keys().Open(text)
		require.ErrorIs(t, err, ErrNoKey)
		_, err = keys(id).Open(text[:len(text)-40])
		require.Error(t, err)
	}
	assert.False(t, Encrypted([]byte(content)))
}

// FuzzParse leaves the password out: trying one takes long, on purpose.
func FuzzParse(f *testing.F) {
	for _, text := range sealed {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := parseEnvelope(text)
		if err == nil && len(e.sealed) > len(text) {
			t.Fatalf("%d bytes of %d", len(e.sealed), len(text))
		}
	})
}
