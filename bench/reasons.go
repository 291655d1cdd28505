package main

// reasons says why a goal is missed where it is: what the time or the memory
// goes into, or who is ahead and by what.
var reasons = map[int]string{}
