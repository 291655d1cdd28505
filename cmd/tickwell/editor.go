package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// editor reads lines from a terminal in raw mode, with editing, history and
// completion. A line that is longer than the terminal is scrolled sideways.
type editor struct {
	in       *bufio.Reader
	out      io.Writer
	width    func() int
	history  []string
	complete func(line string, pos int) (from int, words []string)

	prompt string
	line   []rune
	pos    int
	at     int    // place in the history; len(history) is the line being typed
	typed  []rune // that line, while the history is shown
	killed []rune
}

var errInterrupted = errors.New("interrupted")

// Keys that are not runes.
const (
	keyUp rune = unicode.MaxRune + 1 + iota
	keyDown
	keyLeft
	keyRight
	keyHome
	keyEnd
	keyDelete
	keyWordLeft
	keyWordRight
	keyWordDelete
	keyNone
)

func ctrl(r rune) rune { return r - 'a' + 1 }

// readLine returns the next line without its end; io.EOF after Ctrl-D on an
// empty line, errInterrupted after Ctrl-C.
func (e *editor) readLine(prompt string) (string, error) {
	e.prompt, e.line, e.pos, e.at, e.typed = prompt, nil, 0, len(e.history), nil
	e.draw()
	for {
		k, err := e.key()
		if err != nil {
			fmt.Fprint(e.out, "\r\n")
			return "", err
		}
		switch k {
		case '\r', '\n':
			e.pos = len(e.line)
			e.draw()
			fmt.Fprint(e.out, "\r\n")
			return string(e.line), nil
		case ctrl('c'):
			fmt.Fprint(e.out, "^C\r\n")
			return "", errInterrupted
		case ctrl('d'):
			if len(e.line) == 0 {
				fmt.Fprint(e.out, "\r\n")
				return "", io.EOF
			}
			k = keyDelete
		case '\t':
			e.tab()
			e.draw()
			continue
		case ctrl('r'):
			if err := e.search(); err != nil {
				return "", err
			}
			e.draw()
			continue
		}
		e.edit(k)
		e.draw()
	}
}

// edit changes the line by one key.
func (e *editor) edit(k rune) {
	switch k {
	case keyLeft, ctrl('b'):
		e.pos = max(0, e.pos-1)
	case keyRight, ctrl('f'):
		e.pos = min(len(e.line), e.pos+1)
	case keyHome, ctrl('a'):
		e.pos = 0
	case keyEnd, ctrl('e'):
		e.pos = len(e.line)
	case keyWordLeft:
		e.pos = e.wordLeft()
	case keyWordRight:
		e.pos = e.wordRight()
	case keyUp, ctrl('p'):
		e.recall(e.at - 1)
	case keyDown, ctrl('n'):
		e.recall(e.at + 1)
	case 0x7f, ctrl('h'):
		if e.pos > 0 {
			e.cut(e.pos-1, e.pos)
		}
	case keyDelete:
		if e.pos < len(e.line) {
			e.cut(e.pos, e.pos+1)
		}
	case keyWordDelete, ctrl('w'):
		e.kill(e.wordLeft(), e.pos)
	case ctrl('u'):
		e.kill(0, e.pos)
	case ctrl('k'):
		e.kill(e.pos, len(e.line))
	case ctrl('y'):
		e.insert(e.killed)
	case ctrl('l'):
		fmt.Fprint(e.out, "\x1b[H\x1b[2J")
	default:
		if k >= ' ' && k <= unicode.MaxRune {
			e.insert([]rune{k})
		}
	}
}

func (e *editor) insert(r []rune) {
	e.line = slices.Insert(e.line, e.pos, r...)
	e.pos += len(r)
}

func (e *editor) cut(from, to int) {
	e.line = slices.Delete(e.line, from, to)
	e.pos = from
}

func (e *editor) kill(from, to int) {
	e.killed = slices.Clone(e.line[from:to])
	e.cut(from, to)
}

func (e *editor) wordLeft() int {
	i := e.pos
	for i > 0 && !inWord(e.line[i-1]) {
		i--
	}
	for i > 0 && inWord(e.line[i-1]) {
		i--
	}
	return i
}

func (e *editor) wordRight() int {
	i := e.pos
	for i < len(e.line) && !inWord(e.line[i]) {
		i++
	}
	for i < len(e.line) && inWord(e.line[i]) {
		i++
	}
	return i
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// recall shows a line of the history.
func (e *editor) recall(at int) {
	if at < 0 || at > len(e.history) {
		return
	}
	if e.at == len(e.history) {
		e.typed = e.line
	}
	if e.at = at; at == len(e.history) {
		e.line = e.typed
	} else {
		e.line = []rune(e.history[at])
	}
	e.pos = len(e.line)
}

// search finds an older line that contains what is typed (Ctrl-R). Enter or any
// editing key takes it, Ctrl-C or Ctrl-G leaves the line as it was.
func (e *editor) search() error {
	before, prompt := e.line, e.prompt
	defer func() { e.prompt = prompt }()
	var text []rune
	at := len(e.history)
	find := func(from int) {
		for i := from; i >= 0; i-- {
			if strings.Contains(e.history[i], string(text)) {
				at, e.line = i, []rune(e.history[i])
				e.pos = len(e.line)
				return
			}
		}
	}
	for {
		e.prompt = fmt.Sprintf("(search) %s: ", string(text))
		e.draw()
		k, err := e.key()
		if err != nil {
			return err
		}
		switch {
		case k == ctrl('r'):
			find(at - 1)
		case k == ctrl('c') || k == ctrl('g'):
			e.line, e.pos = before, len(before)
			return nil
		case k == 0x7f && len(text) > 0:
			text = text[:len(text)-1]
			find(len(e.history) - 1)
		case k >= ' ' && k <= unicode.MaxRune && k != 0x7f:
			text = append(text, k)
			find(min(at, len(e.history)-1))
		default:
			return nil
		}
	}
}

// tab completes the word before the cursor as far as that is clear, else it
// lists what could be meant.
func (e *editor) tab() {
	if e.complete == nil {
		return
	}
	before := string(e.line[:e.pos])
	from, words := e.complete(before, len(before))
	if len(words) == 0 {
		return
	}
	start := len([]rune(before[:from]))
	common := []rune(words[0])
	for _, w := range words[1:] {
		n := 0
		for i, r := range []rune(w) {
			if i >= len(common) || common[i] != r {
				break
			}
			n++
		}
		common = common[:n]
	}
	if len(common) > e.pos-start {
		e.cut(start, e.pos)
		e.insert(common)
		if len(words) > 1 {
			return
		}
	}
	if len(words) == 1 {
		return
	}
	e.list(words)
}

// list prints words in columns.
func (e *editor) list(words []string) {
	const most = 80
	shown := words[:min(len(words), most)]
	wide := 1
	for _, w := range shown {
		wide = max(wide, columns([]rune(w))+2)
	}
	perLine := max(1, e.width()/wide)
	for i, w := range shown {
		if i%perLine == 0 {
			fmt.Fprint(e.out, "\r\n")
		}
		fmt.Fprint(e.out, w, strings.Repeat(" ", wide-columns([]rune(w))))
	}
	if more := len(words) - len(shown); more > 0 {
		fmt.Fprintf(e.out, "\r\n… %d more", more)
	}
	fmt.Fprint(e.out, "\r\n")
}

// draw shows the line and puts the cursor in its place.
func (e *editor) draw() {
	room := max(10, e.width()-columns([]rune(e.prompt))-1)
	first := 0
	for columns(e.line[first:e.pos]) > room {
		first++
	}
	last := first
	for last < len(e.line) && columns(e.line[first:last+1]) <= room {
		last++
	}
	var b strings.Builder
	b.WriteString("\r" + e.prompt)
	for _, r := range e.line[first:last] {
		if unicode.IsControl(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	b.WriteString("\x1b[K")
	fmt.Fprintf(&b, "\r\x1b[%dC", columns([]rune(e.prompt))+columns(e.line[first:e.pos]))
	fmt.Fprint(e.out, b.String())
}

// columns counts how wide runes are on a terminal.
func columns(line []rune) int {
	n := 0
	for _, r := range line {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
			r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
			n += 2
		default:
			n++
		}
	}
	return n
}

// key reads a key: a rune, or what a terminal sends for the others.
func (e *editor) key() (rune, error) {
	r, _, err := e.in.ReadRune()
	if err != nil || r != 0x1b {
		return r, err
	}
	if e.in.Buffered() == 0 {
		return keyNone, nil // the Escape key alone
	}
	if r, _, err = e.in.ReadRune(); err != nil {
		return 0, err
	}
	switch r {
	case 'b':
		return keyWordLeft, nil
	case 'f':
		return keyWordRight, nil
	case 0x7f:
		return keyWordDelete, nil
	case '[', 'O':
		return e.sequence()
	}
	return keyNone, nil
}

func (e *editor) sequence() (rune, error) {
	var args []rune
	for {
		r, _, err := e.in.ReadRune()
		if err != nil {
			return 0, err
		}
		if r >= '0' && r <= '9' || r == ';' {
			if len(args) < 16 {
				args = append(args, r)
			}
			continue
		}
		wide := string(args) == "1;5" || string(args) == "1;3" // with Ctrl or Alt
		switch {
		case r == 'A':
			return keyUp, nil
		case r == 'B':
			return keyDown, nil
		case r == 'C' && wide:
			return keyWordRight, nil
		case r == 'D' && wide:
			return keyWordLeft, nil
		case r == 'C':
			return keyRight, nil
		case r == 'D':
			return keyLeft, nil
		case r == 'H', r == '~' && (string(args) == "1" || string(args) == "7"):
			return keyHome, nil
		case r == 'F', r == '~' && (string(args) == "4" || string(args) == "8"):
			return keyEnd, nil
		case r == '~' && string(args) == "3":
			return keyDelete, nil
		}
		return keyNone, nil
	}
}
