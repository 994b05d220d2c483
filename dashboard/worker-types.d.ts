/** The page takes the type of the Worker's routes, and with it the Worker's own files, which know more than a browser. */
interface SubtleCrypto {
  timingSafeEqual(a: ArrayBuffer | ArrayBufferView, b: ArrayBuffer | ArrayBufferView): boolean;
}
