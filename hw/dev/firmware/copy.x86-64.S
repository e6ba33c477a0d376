/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies ARG2 words of 8 bytes from IOVA ARG0 to ARG1; mailbox: their sum. */
	.text
	.globl _start
_start:
	movabs	$0xf0000000, %rbx
	mov	0(%rbx), %rsi
	mov	8(%rbx), %rdi
	mov	16(%rbx), %rcx
	movabs	$0x400000000000, %rdx
	add	%rdx, %rsi
	add	%rdx, %rdi
	xor	%eax, %eax
1:	test	%rcx, %rcx
	jz	2f
	mov	(%rsi), %r8
	mov	%r8, (%rdi)
	add	%r8, %rax
	add	$8, %rsi
	add	$8, %rdi
	dec	%rcx
	jmp	1b
2:	mov	%rax, 0x20(%rbx)
	movq	$1, 0x28(%rbx)
	movq	$0, 0x30(%rbx)
3:	jmp	3b
