// Package pattern holds the rules of series names: how a path is cut into
// nodes and quoted, and which paths a pattern with wildcards matches.
//
// A path is nodes joined by dots; its last node is the measurement, the nodes
// before it are the device. A node that is not made of letters, digits and
// _ : @ # $ alone, or of digits only, is written in backquotes, in which two
// backquotes stand for one. The store keeps paths in this canonical form, which
// [Canonical] makes; everything else here expects it.
package pattern
