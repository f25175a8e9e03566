/** Buy or sell an instrument by mouse or finger. */

interface SideButtonsProps {
  readonly instrumentKey: string;
  readonly symbol: string | undefined;
  /** -1 where keys do the same. */
  readonly tabIndex: number;
  readonly onSide: (side: "BUY" | "SELL") => void;
}

/** An index cannot be traded. */
const isIndex = (key: string): boolean => (key.split("|")[0] ?? "").endsWith("_INDEX");

export function SideButtons({ instrumentKey, symbol, tabIndex, onSide }: SideButtonsProps) {
  if (isIndex(instrumentKey)) return null;
  const button = (side: "BUY" | "SELL", name: string, word: string) => (
    <button type="button" class={name} tabIndex={tabIndex} onClick={() => onSide(side)}>
      <span aria-hidden="true">{word[0]}</span>
      <span class="unseen">{`${word} ${symbol}`}</span>
    </button>
  );
  return (
    <>
      {button("BUY", "buy", "Buy")}
      {button("SELL", "sell", "Sell")}
    </>
  );
}
