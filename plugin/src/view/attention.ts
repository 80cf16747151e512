// How a page can be noticed while another one is looked at.

import type { Notifications } from '../host/host.ts';

export interface Attention {
  notifications(): Notifications;
  /** Asks the user; to be called at a press only. */
  ask(): Promise<Notifications>;
  isHidden(): boolean;
  onShown(listener: () => void): void;
  setTitle(title: string): void;
  /** Tells the user by a notification of the system, which brings the page back when it is pressed. */
  tell(title: string, text: string): void;
}
