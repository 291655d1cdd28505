//go:build !tickwell_small

#include "textflag.h"

DATA upToThree<>+0(SB)/8, $0
DATA upToThree<>+8(SB)/8, $1
DATA upToThree<>+16(SB)/8, $2
DATA upToThree<>+24(SB)/8, $3
GLOBL upToThree<>(SB), RODATA|NOPTR, $32

// func decimalSteps(dst *float64, src *byte, n int, width uint, low, sum int64, hi, lo float64) int64
//
// Eight steps are a whole number of bytes, width of them, and four fit a word
// wherever it begins.
TEXT ·decimalSteps(SB), NOSPLIT, $0-72
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), BX
	MOVQ width+24(FP), CX
	VPBROADCASTQ low+32(FP), Y15
	VPBROADCASTQ sum+40(FP), Y14
	VBROADCASTSD hi+48(FP), Y13
	VBROADCASTSD lo+56(FP), Y12

	// An integer added to the bits of 1.5 * 2^52 is the mantissa of their sum.
	MOVQ $0x4338000000000000, R10
	VMOVQ R10, X11
	VPBROADCASTQ X11, Y11
	VPADDQ Y11, Y14, Y14

	// Where four steps begin in the word of the first four, and of the others.
	VMOVQ CX, X0
	VPBROADCASTQ X0, Y0
	VPMULUDQ upToThree<>(SB), Y0, Y10
	MOVQ CX, R9
	SHRQ $1, R9
	MOVQ CX, AX
	SHLQ $2, AX
	ANDQ $7, AX
	VMOVQ AX, X0
	VPBROADCASTQ X0, Y0
	VPADDQ Y0, Y10, Y9
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	VMOVQ AX, X0
	VPBROADCASTQ X0, Y8

eight:
	VPBROADCASTQ (SI), Y0
	VPBROADCASTQ (SI)(R9*1), Y1
	VPSRLVQ Y10, Y0, Y0
	VPSRLVQ Y9, Y1, Y1
	VPAND Y8, Y0, Y0
	VPAND Y8, Y1, Y1
	VPADDQ Y15, Y0, Y0
	VPADDQ Y15, Y1, Y1

	// Sums along each four.
	VPSLLDQ $8, Y0, Y2
	VPSLLDQ $8, Y1, Y3
	VPADDQ Y2, Y0, Y0
	VPADDQ Y3, Y1, Y1
	VPERM2I128 $0x08, Y0, Y0, Y2
	VPERM2I128 $0x08, Y1, Y1, Y3
	VPSHUFD $0xEE, Y2, Y2
	VPSHUFD $0xEE, Y3, Y3
	VPADDQ Y2, Y0, Y0
	VPADDQ Y3, Y1, Y1

	// And from the first on.
	VPERMQ $0xFF, Y0, Y4
	VPERMQ $0xFF, Y1, Y5
	VPADDQ Y14, Y0, Y0
	VPADDQ Y4, Y14, Y14
	VPADDQ Y14, Y1, Y1
	VPADDQ Y5, Y14, Y14

	// Quotients, rounded as those of package codec in Go.
	VSUBPD Y11, Y0, Y0
	VSUBPD Y11, Y1, Y1
	VMULPD Y13, Y0, Y2
	VMULPD Y13, Y1, Y3
	VMULPD Y12, Y0, Y0
	VMULPD Y12, Y1, Y1
	VADDPD Y2, Y0, Y0
	VADDPD Y3, Y1, Y1
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	ADDQ $64, DI
	ADDQ CX, SI
	SUBQ $8, BX
	JNZ eight

	VMOVQ X14, AX
	SUBQ R10, AX
	VZEROUPPER
	MOVQ AX, ret+64(FP)
	RET

// func cpuid(leaf, sub uint32) (eax, ebx, ecx, edx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET
