// SPDX-License-Identifier: MIT
.intel_syntax noprefix
lea rbx, [rip + table]
next: mov rax, [rbx]
test rax, rax
js done
mov rdi, [rbx + 8]
mov rsi, [rbx + 16]
mov rdx, [rbx + 24]
mov r10, [rbx + 32]
mov r8, [rbx + 40]
syscall
add rbx, 48
jmp next
done: ret
restorer: mov eax, 15
syscall
.balign 8, 0x90
table:
