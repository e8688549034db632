// SPDX-License-Identifier: Apache-2.0

// What Swift's own modules leave out of C.

#pragma once

#include <malloc.h>

/// Begins to fetch the cache line of an address that will be written soon; the address need not be valid.
static inline void prefetch_for_writing(const void *_Nonnull address) {
#if defined(__x86_64__)
    // The builtin makes a prefetch for reading of it for processors of 2003, and such a line may still be another's to write.
    // Every processor that runs the 64-bit Windows of 2013 has the instruction.
    __asm__ volatile("prefetchw (%0)" : : "r"(address));
#else
    __builtin_prefetch(address, 1);
#endif
}
