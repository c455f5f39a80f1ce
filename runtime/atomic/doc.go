// Package atomic runs requests as transactions, exactly once: DESIGN section 5.
//
// A [Runner] makes attempts at a request until one of them commits, or needs no
// commit, or the budget is used up. Each attempt gets a [Tx] of its own, and with
// it fresh instances of the services (see [Bind]) and fresh live memory of their
// fields (package state). Nothing outside an attempt changes before its commit is
// known; the record of the request, which makes it happen once, is part of that
// commit.
//
// A failure of the store is no error value that user code could swallow: it
// unwinds the attempt by a private panic that only the Runner recovers. A Tx that
// has unwound unwinds again whenever it is used, and never commits.
package atomic
