from .memory_bank import MemoryBank, gather_in_sampler_order

__all__ = ['MemoryBank', 'gather_in_sampler_order']
