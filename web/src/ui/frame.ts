/** Work that is done once per frame, however often it is requested. Only this module asks for frames. */

export type RequestFrame = (work: () => void) => void;

/** In a hidden tab no frame comes: what was requested is done when the tab is shown. */
export const browserFrame: RequestFrame = (work) => {
  requestAnimationFrame(work);
};

export function oncePerFrame(requestFrame: RequestFrame, work: () => void): () => void {
  let isRequested = false;
  return () => {
    if (isRequested) return;
    isRequested = true;
    requestFrame(() => {
      isRequested = false;
      work();
    });
  };
}
