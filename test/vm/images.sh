# SPDX-License-Identifier: MIT
# Sourced by run-in-vm, whose `work`, `here`, `version`, `kernel_dir`, `arch`, `files` and `busybox` it reads: the two images that QEMU boots.
# shellcheck shell=bash disable=SC2154

# initramfs: busybox and the modules it takes to reach the host's /. Named by what it is made of, so never stale.
make_initramfs() { # FILE
  local tree=$work/initramfs module kind path name
  mkdir -p "$tree"/{bin,dev,lower,modules,proc,root,rw,sys}
  cp "$busybox" "$tree/bin/busybox"
  for name in sh mount mkdir insmod switch_root cat echo poweroff ln ip hostname; do ln -s busybox "$tree/bin/$name"; done
  : >"$tree/modules/order"
  for module in virtio_pci virtio_console virtio_blk ${files_of[$files]} overlay; do
    # A built-in module has no file and prints "builtin"; one the kernel does not know prints nothing.
    while read -r kind path _; do
      [[ $kind == insmod ]] || continue
      name=${path##*/} name=${name%.xz} name=${name%.zst}
      grep -qxF "$name" "$tree/modules/order" && continue
      echo "$name" >>"$tree/modules/order"
      case $path in
        *.xz) xz -dc "$path" ;;
        *.zst) zstd -qdc "$path" ;;
        *) cat "$path" ;;
      esac >"$tree/modules/$name"
    done < <(modprobe -d "$kernel_dir" -S "$version" --show-depends "$module" 2>/dev/null || true)
  done
  install -m 755 "$here/guest/init" "$tree/init"
  (cd "$tree" && find . | cpio -o -H newc --quiet) >"$work/initramfs.cpio"
  mkdir -p "${1%/*}"
  mv "$work/initramfs.cpio" "$1.$$" && mv "$1.$$" "$1"
}

# unpack_kernel FILE: what vmlinuz unpacks itself to when it boots (Documentation/arch/x86/boot.rst). Once here is two seconds less in each guest.
unpack_kernel() {
  local image=$kernel_dir/vmlinuz begin length unpack
  number() { od -An -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '; }
  begin=$((($(number 0x1f1 1) + 1) * 512 + $(number 0x248 4))) length=$(number 0x24c 4)
  case $(od -An -t x1 -j "$begin" -N 4 "$image") in
    ' 28 b5 2f fd') unpack=(zstd -qdc) ;;
    ' fd 37 7a 58') unpack=(xz -dc) ;;
    *) return 1 ;;
  esac
  # Its last four bytes are the length of what is packed.
  if head -c "$((begin + length - 4))" "$image" | tail -c "+$((begin + 1))" | "${unpack[@]}" >"$1.$$"; then
    mv "$1.$$" "$1"
  else
    rm -f "$1.$$"
    return 1
  fi
}

# find_images: what QEMU boots, made if need be: sets `initramfs` and `kernel`.
find_images() {
  local made_of unpacked
  made_of=$(cat "$here/guest/init" "${BASH_SOURCE[0]}" "$busybox" | sha256sum | cut -c 1-12)
  initramfs=$vm_cache/initramfs/$version-$made_of.cpio
  [[ -s $initramfs ]] || make_initramfs "$initramfs"
  kernel=$kernel_dir/vmlinuz
  # QEMU starts an unpacked one by what CONFIG_PVH puts into it.
  if [[ $arch == amd64 ]] && grep -qx CONFIG_PVH=y "$kernel_dir/config" 2>/dev/null; then
    unpacked=$vm_cache/initramfs/$version-$(sha256sum <"$kernel" | cut -c 1-12).vmlinux
    if [[ -s $unpacked ]] || unpack_kernel "$unpacked"; then kernel=$unpacked; fi
  fi
}
