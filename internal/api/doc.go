// Package api holds the exported API of the module as text. It consists of
// tests only: testdata/api.txt must say what the code exports, so that every
// change of the API is a visible change of that file. `make api` writes it.
package api
