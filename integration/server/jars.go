package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Jars returns the folder with the jars of a server that runs on a Java machine.
// `.ci/run` fills it from Maven Central by the file of that name in jars/; it lies
// in the user's cache, or where TICKWELL_JARS says.
func Jars(name string) string {
	dir := os.Getenv("TICKWELL_JARS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = os.TempDir()
		}
		dir = filepath.Join(cache, "tickwell", "jars")
	}
	return filepath.Join(dir, name)
}

// checkJars returns a check that the jars are there, all of them.
func checkJars(name string) func(context.Context) error {
	return func(context.Context) error {
		dir := Jars(name)
		if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
			return nil
		}
		for line := range strings.Lines(os.Getenv("TICKWELL_NOT_INSTALLED")) {
			if why, ok := strings.CutPrefix(strings.TrimSpace(line), name+" jars: "); ok {
				return fmt.Errorf("no jars: %s", why)
			}
		}
		return fmt.Errorf("no jars in %s (.ci/run gets them)", dir)
	}
}

// java is the command line of a Java program with the jars of that name. The
// virtual machine is told to start fast and to be content with little, and to keep
// in temp what would stay in the system's folder of temporary files when it is
// killed.
func java(jars, temp, heap string, args ...string) []string {
	return append([]string{
		"java", "-Djava.io.tmpdir=" + temp, "-XX:-UsePerfData", "-Xms64m", "-Xmx" + heap, "-XX:+UseSerialGC", "-Xshare:auto", "-Djava.awt.headless=true",
		"-cp", filepath.Join(Jars(jars), "*"),
	}, args...)
}
