// SPDX-License-Identifier: Apache-2.0

// What Swift's own modules leave out of C.

#pragma once

#include <malloc.h>

/// Begins to fetch the cache line of an address that will be written soon; the address need not be valid.
static inline void prefetch_for_writing(const void *_Nonnull address) {
    __builtin_prefetch(address, 1);
}
