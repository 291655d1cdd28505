//go:build !tickwell_small

#include "textflag.h"

// func ahead(times, nums unsafe.Pointer)
TEXT ·ahead(SB), NOSPLIT, $0-16
	MOVQ times+0(FP), AX
	MOVQ nums+8(FP), CX
	PREFETCHT0 64(AX)
	PREFETCHT0 64(CX)
	RET
