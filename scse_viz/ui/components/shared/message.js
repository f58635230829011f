// The message of rendering.pictures.pack: a header, then the numbers of all pictures in one deflate stream.

export function unpack(message) {
  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  return { header, body: bytes.subarray(4 + size) };
}

export function sameBytes(one, other) {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

// The pictures of a message by name, {width, height, numbers}.
export async function decodePictures({ header, body }, decompress = inflate) {
  const bytes = await decompress(body);
  const pictures = new Map();
  let start = 0;
  for (const [name, [height, width]] of Object.entries(header.pictures)) {
    const numbers = bytes.subarray(start, start + height * width);
    for (let at = width; at < numbers.length; at++) numbers[at] += numbers[at - width]; // modulo 256
    pictures.set(name, { width, height, numbers });
    start += numbers.length;
  }
  return pictures;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
