/** One message of PostgreSQL's protocol, version 3. */
export interface Frame {
  readonly bytes: Buffer;
  /** `Q`, `P`, `B`, `C` ...; empty for the first message of a client. */
  readonly type: string;
  /** The texts, ended by a zero byte, with which the message begins: of a query its text, of a bind its portal and statement. */
  readonly strings: readonly string[];
}

const STRINGS_MAX = 2;
const TYPES_WITH_STRINGS = 'QPBC';

/** Cuts one direction of a connection into its messages. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);
  private untyped: boolean;

  /** @param options.startsUntyped the direction from client to server: its first message has no type */
  constructor({ startsUntyped }: { readonly startsUntyped: boolean }) {
    this.untyped = startsUntyped;
  }

  /** The messages that are complete with this chunk. */
  *read(chunk: Buffer): Generator<Frame> {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      const typeLength = this.untyped ? 0 : 1;
      if (this.rest.length < typeLength + 4) return;
      const length = typeLength + this.rest.readUInt32BE(typeLength);
      if (this.rest.length < length) return;
      const bytes = this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
      this.untyped = false;
      yield { bytes, ...read(bytes, typeLength) };
    }
  }
}

function read(bytes: Buffer, typeLength: number): Pick<Frame, 'type' | 'strings'> {
  const type = bytes.toString('latin1', 0, typeLength);
  const strings: string[] = [];
  if (type === '' || !TYPES_WITH_STRINGS.includes(type)) return { type, strings };
  for (let from = typeLength + 4; strings.length < STRINGS_MAX;) {
    const end = bytes.indexOf(0, from);
    if (end < 0) break;
    strings.push(bytes.toString('utf8', from, end));
    from = end + 1;
  }
  return { type, strings };
}
