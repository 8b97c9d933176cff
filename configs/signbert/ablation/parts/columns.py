# What the comparisons with other methods, of both papers, share.
_metrics = {'P-I': 'p_i/top1', 'P-C': 'p_c/top1', 'P-I top-5': 'p_i/top5', 'P-C top-5': 'p_c/top5'}
_nmfs_csl_metrics = {
    f'{name}{top}': f'p_i/{subset}{key}'
    for name, subset in (('total', ''), ('confusing', 'confusing/'), ('normal', 'normal/'))
    for top, key in (('', 'top1'), (' top-2', 'top2'), (' top-5', 'top5'))
}
# RGB networks by their rows, and the base of each
_networks = {'3D-R50': 'r3d', 'I3D': 'i3d', 'TSM': 'tsm', 'SlowFast': 'slowfast'}
