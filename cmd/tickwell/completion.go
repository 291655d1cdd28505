package main

import (
	"flag"
	"fmt"
	"strings"
)

func completionCommand() *command {
	return &command{
		name: "completion", args: "bash|zsh|fish", short: "Prints what makes a shell complete commands and flags.", lo: 1, hi: 1,
		long: `
    source <(tickwell completion bash)          # in ~/.bashrc
    source <(tickwell completion zsh)           # in ~/.zshrc
    tickwell completion fish | source           # in ~/.config/fish/config.fish
`,
		run: func(c *call, args []string) error {
			f := map[string]func() string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[args[0]]
			if f == nil {
				return wrongf("there is no completion for %q", args[0])
			}
			c.printf("%s", f())
			return nil
		},
	}
}

func (c *command) flagNames() []string {
	var out []string
	if c.flags != nil {
		c.flags.VisitAll(func(f *flag.Flag) { out = append(out, "-"+f.Name) })
	}
	return append(out, "-h")
}

// words lists the names of all commands.
func words() string {
	var out []string
	for _, c := range commands() {
		out = append(out, c.name)
	}
	return strings.Join(out, " ")
}

func bashCompletion() string {
	var b strings.Builder
	b.WriteString("# bash completion of tickwell\n_tickwell() {\n    local word=${COMP_WORDS[COMP_CWORD]} words=\n")
	fmt.Fprintf(&b, "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n        return\n    fi\n", words())
	b.WriteString("    case ${COMP_WORDS[1]} in\n")
	for _, c := range commands() {
		list := strings.Join(c.flagNames(), " ")
		switch c.name {
		case "help":
			list += " " + words()
		case "completion":
			list += " bash zsh fish"
		}
		fmt.Fprintf(&b, "    %s) words='%s' ;;\n", c.name, list)
	}
	b.WriteString("    esac\n    case ${COMP_WORDS[1]}:$word in\n    help:* | completion:* | *:-*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\n")
	b.WriteString("complete -o filenames -F _tickwell tickwell\n")
	return b.String()
}

func zshCompletion() string {
	return "# zsh completion of tickwell\nautoload -U +X bashcompinit && bashcompinit\n" + bashCompletion()
}

func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# fish completion of tickwell\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "complete -c tickwell -n __fish_use_subcommand -f -a %s -d '%s'\n", c.name, quoteFish(c.short))
		if c.flags == nil {
			continue
		}
		c.flags.VisitAll(func(f *flag.Flag) {
			_, text := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, "complete -c tickwell -n '__fish_seen_subcommand_from %s' -o %s -d '%s'\n", c.name, f.Name, quoteFish(text))
		})
	}
	return b.String()
}

func quoteFish(s string) string { return strings.ReplaceAll(s, "'", `\'`) }
