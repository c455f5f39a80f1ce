//go:build !linux

package main

import "os"

// Sandboxes are made of Linux's namespaces.
func sandbox() { os.Exit(1) }

func canSandbox() bool { return false }
