// Command unit-test-fake runs the tests in boiler/: they show how a service is
// tested against a store in memory with a clock that the test moves.
//
//	go run ./examples/unit-test-fake        # in this module's folder
package main

import (
	"log"
	"os"
	"os/exec"
)

func main() {
	log.SetFlags(0)
	cmd := exec.Command("go", "test", "-v", "-count=1", "github.com/tickwell/tickwell/examples/unit-test-fake/boiler")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		log.Fatal("unit-test-fake: ", err)
	}
}
