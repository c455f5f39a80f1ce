//go:build !unix

package page

import (
	"errors"
	"os"
)

var errNoPoker = errors.New("there are no pokers on this system")

// Create makes the page in a folder, for a poker.
func Create(string) (*Page, *os.File, error) { return nil, nil, errNoPoker }

// Open opens the page of a folder, for a service.
func Open(string) (*Page, error) { return nil, errNoPoker }

func wake(int) {}
