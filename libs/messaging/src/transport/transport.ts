import type { WireAcknowledgement } from '../acknowledgement.js';
import type { Envelope } from '../envelope.js';
import type { SealedDelivery } from '../integrity/seal.js';
import type { SettlementQuestion, WireSettlement } from '../settlement-delivery.js';
import type { WireAnswer, WireQuestion } from '../session-delivery.js';

/** What a transport carries: a message, an acknowledgement that runs the other way, the questions and answers of sessions and settlements; each under a seal, unless keys are done without. */
export type Delivery =
  | Envelope
  | { readonly acknowledgement: WireAcknowledgement }
  | { readonly question: WireQuestion }
  | { readonly answer: WireAnswer }
  | { readonly settlement: SettlementQuestion }
  | { readonly settled: WireSettlement }
  | SealedDelivery;

/**
 * Carries deliveries between services, lossily: it may lose, repeat, delay and reorder what it likes, and everything above it stays
 * right. It only has to be quick, to report what it could not take, and to heal by itself.
 */
export interface Transport {
  /**
   * Hands deliveries over, within a bounded time. Returning means taken, not delivered.
   * @throws TransportUnavailableError some or all were not taken
   */
  publish(destination: string, deliveries: readonly Delivery[]): Promise<void>;

  /** About how many deliveries wait for a destination and have not been fetched. @throws TransportUnavailableError */
  backlog(destination: string): Promise<number>;

  /** Starts handing what arrives for a service to `receive`, now or as soon as the transport can be reached. */
  consume(service: string, receive: Receive): Promise<Subscription>;

  /** Ends all subscriptions and connections within a bounded time. */
  close(): Promise<void>;
}

/**
 * Takes what has arrived, unchecked. It must not throw: nobody but a log would hear of it.
 * @param repeated these very deliveries were handed out before and perhaps killed their process
 */
export type Receive = (deliveries: readonly unknown[], repeated: boolean) => Promise<void>;

export interface Subscription {
  /** Takes nothing new and waits a bounded time for what is under way. */
  close(): Promise<void>;
}
