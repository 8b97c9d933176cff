"""Settings of the C library and of torch's compiler that their defaults get wrong."""

import ctypes
import os
import platform
import sys


def keep_large_blocks() -> bool:
    """Lets glibc keep the memory of large tensors for the next step.

    By default it maps new pages for each, and the kernel clears them on first use.

    A training step on the CPU took 8 to 12 % less time with it at the demo's width and 2 to 4 % less at full
    width, with the same peak of memory. Freed memory goes back to the system when the process ends. Call it
    early in a process. Nothing happens elsewhere than on Linux with glibc, and where the environment sets
    ``MALLOC_MMAP_THRESHOLD_`` itself.

    Returns:
        bool: Whether glibc accepted the setting.
    """
    if sys.platform != 'linux' or platform.libc_ver()[0] != 'glibc' or 'MALLOC_MMAP_THRESHOLD_' in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    # The numbers of these options in malloc.h.
    mmap_threshold, trim_threshold, top_pad = -3, -1, -2
    # Some versions of glibc accept no threshold above 32 MB.
    accepted = mallopt(mmap_threshold, 1 << 30) or mallopt(mmap_threshold, 1 << 25)
    return bool(accepted and mallopt(trim_threshold, 2**31 - 1) and mallopt(top_pad, 1 << 28))


def patch_inductor_cache() -> bool:
    """Inductor's cache of compiled graphs does not know the CPU's vector instructions.

    Two processors that share a cache folder (or one, with and without ``ATEN_CPU_CAPABILITY``) share C++
    code. Code for AVX-512 silently gives wrong numbers with AVX2, and does not compile where the processor
    has neither. Seen in torch 2.13. Upstream: no issue found; can go when the key of the cache holds the
    instruction set.

    Returns:
        bool: Whether it was set.
    """
    from torch._inductor import config, cpu_vec_isa

    if config.cpp.simdlen is not None:
        return False
    # The cache's key holds ``cpp.simdlen`` where it is set, so set it to what Inductor would pick anyway.
    isa = cpu_vec_isa.pick_vec_isa()
    config.cpp.simdlen = isa.bit_width() if isa else 1
    return True
