import { contentDigest, PawlError } from '@pawl/core';
import type { OutgoingMessage } from '../outgoing-message.js';

/** What travels in place of a payload. */
export interface Claim {
  /** Of the payload's canonical JSON: SHA-256, base64url. */
  readonly digest: string;
  readonly bytes: number;
}

export interface ClaimCheckOptions {
  /** The services that may read this one's feed. */
  readonly readers: readonly string[];
  /** Payloads above this travel by reference, unless their route says otherwise. Bytes. */
  readonly bytesMax: number;
}

/** Decides which payloads stay in the outbox until their reader fetches them from the feed, so that the bus carries only what is small. */
export class ClaimCheck {
  constructor(private readonly options: ClaimCheckOptions) {}

  /**
   * The claim for a payload that shall not travel; nothing for one that does.
   * @throws PawlError `claim_check_unavailable`: its route wants it, and the receiver can read no feed here.
   */
  claimFor({ route, type }: OutgoingMessage, json: string): Claim | undefined {
    const { claimCheckBytes, to } = route;
    const readable = this.options.readers.includes(to);
    if (!readable && claimCheckBytes === undefined) return undefined;
    const bytes = Buffer.byteLength(json);
    if (bytes <= (claimCheckBytes ?? this.options.bytesMax)) return undefined;
    if (!readable) throw unavailable(type, to, bytes);
    return { bytes, digest: contentDigest(JSON.parse(json)) };
  }
}

function unavailable(type: string, to: string, bytes: number): PawlError {
  return new PawlError(
    'claim_check_unavailable',
    `Message ${type} has ${bytes} bytes of payload, which by its route ${to} is to fetch from this service's feed, but ${to} may not read it: ` +
      `MessagingModule.forRoot({ ..., feed: { tokens: { '${to}': token } } }) and FeedModule where HTTP is served. Or leave claimCheckBytes out of the route.`,
    { type, to, bytes },
  );
}
