//go:build unix

package page

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

// Create makes the page in a folder, for a poker. The FIFO is the end that it
// reads from.
func Create(dir string) (*Page, *os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, pageFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		return nil, nil, err
	}
	p, err := mapFile(file)
	if err != nil {
		return nil, nil, err
	}
	p.head.magic.Store(magic)
	path := filepath.Join(dir, notifyFile)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, nil, fmt.Errorf("make FIFO %s: %w", path, err)
	}
	// Opened for writing, too, so that it never ends and opening never waits.
	notify, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	return p, notify, err
}

// Open opens the page of a folder, for a service.
func Open(dir string) (*Page, error) {
	file, err := os.OpenFile(filepath.Join(dir, pageFile), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size() != size {
		return nil, fmt.Errorf("page in %s has another size: the poker is of another version", dir)
	}
	p, err := mapFile(file)
	if err != nil {
		return nil, err
	}
	if p.head.magic.Load() != magic {
		return nil, fmt.Errorf("page in %s has another form: the poker is of another version", dir)
	}
	if p.notify, err = os.OpenFile(filepath.Join(dir, notifyFile), os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	p.fd = int(p.notify.Fd())
	return p, syscall.SetNonblock(p.fd, true) // Fd made it blocking
}

func mapFile(file *os.File) (*Page, error) {
	mem, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", file.Name(), err)
	}
	return &Page{mem: mem, head: (*header)(unsafe.Pointer(&mem[0])), fd: -1}, nil
}

// wake writes to the FIFO. That it may be full is no loss.
func wake(fd int) {
	var word [8]byte
	_, _ = syscall.Write(fd, word[:])
}
