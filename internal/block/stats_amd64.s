//go:build !tickwell_small

#include "textflag.h"

// func sumFours(sum, lows, highs *[4]float64, v *float64, n int)
//
// A number that is not less than the least so far, or is NaN, does not replace it.
TEXT ·sumFours(SB), NOSPLIT, $0-40
	MOVQ sum+0(FP), DI
	MOVQ lows+8(FP), R8
	MOVQ highs+16(FP), R9
	MOVQ v+24(FP), SI
	MOVQ n+32(FP), BX
	VMOVUPD (DI), Y0
	MOVQ $0x7ff0000000000000, AX
	VMOVQ AX, X1
	VPBROADCASTQ X1, Y1
	MOVQ $0xfff0000000000000, AX
	VMOVQ AX, X2
	VPBROADCASTQ X2, Y2

four:
	VMOVUPD (SI), Y3
	VADDPD Y3, Y0, Y0
	VMINPD Y1, Y3, Y1
	VMAXPD Y2, Y3, Y2
	ADDQ $32, SI
	SUBQ $4, BX
	JNZ four

	VMOVUPD Y0, (DI)
	VMOVUPD Y1, (R8)
	VMOVUPD Y2, (R9)
	VZEROUPPER
	RET
