package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	up, down, left, right = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C"
	home, end, del        = "\x1b[H", "\x1b[F", "\x1b[3~"
	wordLeft, wordRight   = "\x1b[1;5D", "\x1bf"
)

func typed(keys string, history ...string) (*editor, *bytes.Buffer) {
	var out bytes.Buffer
	return &editor{in: bufio.NewReader(strings.NewReader(keys)), out: &out, width: func() int { return 40 }, history: history}, &out
}

func TestEditor(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"plain", "abc\r", "abc"},
		{"new line", "abc\n", "abc"},
		{"other letters", "温度ä\x7fé\r", "温度é"},
		{"backspace", "abc\x7f\x08d\r", "ad"},
		{"backspace at the start", home + "\x7fx\r", "x"},
		{"insert", "ac" + left + "b\r", "abc"},
		{"home and end", "bc" + home + "a" + end + "d\r", "abcd"},
		{"control keys", "bc\x01a\x05d\x02\x02X\x06Y\r", "abXcYd"},
		{"delete", "abc" + home + del + "\x04\r", "c"},
		{"delete at the end", "abc" + del + "\r", "abc"},
		{"beyond the ends", "a" + right + right + left + left + left + "b\r", "ba"},
		{"kill", "one two\x17three\r", "one three"},
		{"kill to the start", "one two\x15x\r", "x"},
		{"kill to the end", "one two" + wordLeft + "\x0b3\r", "one 3"},
		{"yank", "one\x17\x19\x19\r", "oneone"},
		{"words", "one two" + wordLeft + wordLeft + "X" + wordRight + "Y\r", "XoneY two"},
		{"history", up + "\r", "newest"},
		{"older", up + up + "\r", "oldest"},
		{"no older", up + up + up + up + "\r", "oldest"},
		{"and back", "typed" + up + up + down + down + "!\r", "typed!"},
		{"history is edited", up + "!\r", "newest!"},
		{"search", "\x12old\r\r", "oldest"},
		{"search again", "\x12est\x12\r\r", "oldest"},
		{"search given up", "x\x12old\x07\r", "x"},
		{"unknown keys", "a\x1b[15~\x1b[Z\x1bOPb\r", "ab"},
		{"escape alone ends nothing", "a\x1b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, _ := typed(c.keys, "oldest", "newest")
			got, err := e.readLine("> ")
			if !strings.HasSuffix(c.keys, "\r") && !strings.HasSuffix(c.keys, "\n") {
				require.ErrorIs(t, err, io.EOF)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	e, out := typed("ab\x03")
	_, err := e.readLine("> ")
	require.ErrorIs(t, err, errInterrupted)
	require.Contains(t, out.String(), "^C")
	e, _ = typed("\x04")
	_, err = e.readLine("> ")
	require.ErrorIs(t, err, io.EOF)
}

// What is drawn fits the terminal, and the cursor stands where it should.
func TestEditorDraws(t *testing.T) {
	e, out := typed("x")
	e.prompt, e.line, e.pos = "> ", []rune(strings.Repeat("0123456789", 9)), 45
	e.draw()
	text := strings.TrimPrefix(out.String(), "\r> ")
	text, rest, _ := strings.Cut(text, "\x1b[K")
	require.LessOrEqual(t, len(text), 38)
	require.Contains(t, string(e.line), text)
	require.Regexp(t, `^\r\x1b\[\d+C$`, rest)

	out.Reset()
	e.line, e.pos = []rune("温度\x1bx"), 3
	e.draw()
	require.Equal(t, "\r> 温度\uFFFDx\x1b[K\r\x1b[7C", out.String())
}

func TestCompletion(t *testing.T) {
	c := &call{context.Background(), strings.NewReader(""), io.Discard, io.Discard}
	o := &sqlOptions{precision: "ms", zone: "UTC"}
	require.NoError(t, o.check(false))
	s := &session{c: c, o: o}
	require.NoError(t, s.open())
	defer s.close()
	require.NoError(t, s.statement("INSERT INTO root.plant.press1(time, temperature, pressure) VALUES (1, 1, 1)"))
	require.NoError(t, s.statement("INSERT INTO root.plant.press2(time, temperature) VALUES (1, 1)"))
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"sel", []string{"select "}},
		{"SEL", []string{"SELECT "}},
		{"select temp", []string{"temperature"}},
		{"select avg(pr", []string{"pressure", "previous "}},
		{"select * from ro", []string{"root.", "round("}},
		{"select * from root.", []string{"root.plant."}},
		{"select * from root.plant.p", []string{"root.plant.press1", "root.plant.press2"}},
		{"select root.plant.press1", []string{"root.plant.press1."}},
		{"select root.plant.press1.", []string{"root.plant.press1.pressure", "root.plant.press1.temperature"}},
		{"select root.plant.press1.x", nil},
		{`\`, metaWords},
		{`\re`, []string{`\reopen`}},
	} {
		from, got := s.complete(c.line, len(c.line))
		require.Equal(t, c.want, got, c.line)
		for _, w := range got {
			require.True(t, strings.HasPrefix(strings.ToUpper(w), strings.ToUpper(c.line[from:])), c.line)
		}
	}
	e, _ := typed("sel\t* from root.pl\tp\t2;\r")
	e.complete = s.complete
	got, err := e.readLine("> ")
	require.NoError(t, err)
	require.Equal(t, "select * from root.plant.press2;", got)
	e, out := typed("select root.plant.press\t\t1\r")
	e.complete = s.complete
	_, err = e.readLine("> ")
	require.NoError(t, err)
	require.Contains(t, out.String(), "root.plant.press1  root.plant.press2")
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestEditorLosesTerminal(t *testing.T) {
	e := &editor{in: bufio.NewReader(failingReader{}), out: io.Discard, width: func() int { return 40 }}
	_, err := e.readLine("> ")
	require.ErrorContains(t, err, "gone")
}
