// Generated from docs/stream.openapi.json by `make docs`. Do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Account
         * @description Where an order is sent. Nothing defaults from one account to the other.
         * @enum {unknown}
         */
        Account: "paper" | "upstox";
        /**
         * Ack
         * @description The answer to subscribe and unsubscribe.
         */
        Ack: {
            /** @description The `id` of the request. */
            id: number;
            /** @description The outcome of each key; of the channel's name on a channel without keys. */
            results: {
                [key: string]: components["schemas"]["Outcome"];
            };
            /** @enum {unknown} */
            type: "ack";
        };
        /**
         * ActiveSwitch
         * @description A kill switch that is on: only orders that close a position are accepted.
         */
        ActiveSwitch: {
            at: number;
            /**
             * @description The instrument, of a switch with that scope.
             * @default null
             */
            key?: string | null;
            /**
             * @description In the words of an administrator; empty for the user's own switch.
             * @default
             */
            reason?: string;
            scope: components["schemas"]["SwitchScope"];
            set_by: components["schemas"]["SwitchSetter"];
        };
        /**
         * Authenticate
         * @description Presents an access token: as the first request, and again to renew the stream.
         */
        Authenticate: {
            /** @enum {unknown} */
            op: "auth";
            token: string;
        };
        /**
         * Authenticated
         * @description The access token was accepted.
         */
        Authenticated: {
            /** @description The time at which the stream ends unless the token is renewed, Unix seconds. */
            expires_at: number;
            /** @enum {unknown} */
            type: "authenticated";
            user_id: string;
        };
        /**
         * Bar
         * @description A five-minute bar of one instrument.
         */
        Bar: {
            atp: number | null;
            /** @description Last traded price in the window. */
            close: number;
            /** @description Lease epoch of the ingest leader whose quotes closed the bar. */
            epoch: number;
            high: number;
            key: string;
            low: number;
            /** @description From the window's last quote with a trade, like `ltt`, `atp` and `oi`; the feed may have omitted a later trade. None for an index, or if no quote showed a trade. */
            ltq: number | null;
            ltt: number | null;
            oi: number | null;
            open: number;
            /** @description Exchange time in the window during which the feed was not live. The bar can be complete nevertheless: from candles, or because the volume did not rise. */
            silent_ms: number;
            /** @description Start of the window; the bar holds trades from `start` to before `start` + 5 min. */
            start: number;
            /** @description `partial` if a trade of the window may be missing in the bar. */
            state: components["schemas"]["BarState"];
            /** @description Number of quotes in the window that showed a new trade. */
            ticks: number;
            /** @description Quantity traded in the window; None for an index. */
            volume: number | null;
            /** @description Cumulative volume of the day at the window's last trade; None for an index. */
            vtt: number | null;
        };
        /**
         * Bars
         * @description Five-minute bars that were closed or changed by a late trade.
         */
        Bars: {
            data: components["schemas"]["Bar"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "bars";
        };
        /**
         * BarState
         * @description How complete a bar is; docs/bars.md defines each state.
         * @enum {unknown}
         */
        BarState: "complete" | "partial" | "repaired";
        /**
         * Candle
         * @description A completed minute of one instrument; Upstox computes it from all trades.
         */
        Candle: {
            close: number;
            /** @description Lease epoch of the ingest leader that published it. */
            epoch: number;
            high: number;
            key: string;
            low: number;
            open: number;
            /** @description Start of the minute. */
            start: number;
            /** @description Time of the first frame that contained it. */
            ts: number;
            /**
             * @description Quantity traded in the minute; None for an index.
             * @default null
             */
            volume?: number | null;
        };
        /**
         * Candles
         * @description One-minute candles of Upstox, each once its minute is completed.
         */
        Candles: {
            data: components["schemas"]["Candle"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "candles";
        };
        /**
         * Chain
         * @description The strikes of an option chain around the price of its underlying.
         */
        Chain: {
            /** @description The strike at the money, which the window is around. */
            atm: number;
            /** @description Term of the ingest leader; a later leader has a higher epoch. */
            epoch: number;
            /** @description `YYYY-MM-DD`. */
            expiry: string;
            /** @description Key of the subscription: underlying, expiry and number of strikes. */
            key: string;
            /**
             * @description Last traded price of the underlying.
             * @default null
             */
            ltp?: number | null;
            /** @description Lowest strike first. The window moves with the price of the underlying. */
            rows: components["schemas"]["ChainRow"][];
            /** @description Time at which ingest made this message, Unix microseconds. */
            rt: number;
            /** @description Rises with each message of the chain in the epoch. */
            seq: number;
            /** @description Time of the newest message of the feed that the prices are of. */
            ts: number;
            /** @description Instrument key of the underlying. */
            underlying: string;
        };
        /**
         * ChainRow
         * @description The call and the put of one strike.
         */
        ChainRow: {
            /**
             * @description Absent if there is no such contract, like `put`.
             * @default null
             */
            call?: components["schemas"]["OptionState"] | null;
            /** @default null */
            put?: components["schemas"]["OptionState"] | null;
            strike: number;
        };
        /**
         * Chains
         * @description Option chains: the strikes around the price of an underlying.
         */
        Chains: {
            data: components["schemas"]["Chain"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "chain";
        };
        /**
         * Channel
         * @description Channels to which a client can subscribe.
         * @enum {unknown}
         */
        Channel: "bars" | "candles" | "chain" | "depth" | "orders" | "quotes" | "status";
        /**
         * Code
         * @description Every error code that a client can receive; docs/errors.md documents them.
         * @enum {unknown}
         */
        Code: "account_disabled" | "bad_credentials" | "bad_message" | "broker_refused" | "command_in_flight" | "email_taken" | "forbidden" | "idempotency_key_missing" | "idempotency_key_reused" | "internal" | "invalid_field" | "limit_exceeded" | "link_refused" | "link_state_invalid" | "link_taken" | "method_not_allowed" | "not_found" | "order_final" | "order_refused" | "overloaded" | "rate_limited" | "reauthentication_required" | "restarting" | "revoked" | "stale_revision" | "timed_out" | "token_expired" | "too_large" | "too_many_attempts" | "too_slow" | "unauthenticated" | "unavailable" | "unsupported_encoding";
        /**
         * Depth
         * @description The order book of one instrument; a later one replaces an earlier one.
         */
        Depth: {
            asks: [
                number,
                number
            ][];
            bids: [
                number,
                number
            ][];
            /** @description Lease epoch of the ingest leader that published it. */
            epoch: number;
            /**
             * @description For an option only.
             * @default null
             */
            greeks?: components["schemas"]["Greeks"] | null;
            /**
             * @description Implied volatility of an option, as a fraction.
             * @default null
             */
            iv?: number | null;
            key: string;
            /**
             * @description How many levels of each side the feed gives: 5, or 30 with Upstox Plus.
             * @default 5
             */
            levels?: number;
            /** @description When ingest received the frame, epoch microseconds. */
            rt: number;
            /** @description `seq` of the quote for the same moment. */
            seq: number;
            /** @description Time of the feed's frame. */
            ts: number;
        };
        /**
         * Error
         * @description A request was refused; as the last message: the reason why the stream is closed.
         */
        Error: {
            /** @description Stable; docs/errors.md lists all codes. */
            code: components["schemas"]["Code"];
            /** @description An explanation for people; may change. */
            detail: string;
            /**
             * @description The field of the request that breaks a rule.
             * @default null
             */
            field?: string | null;
            /**
             * @description The `id` of the request, if it can be read.
             * @default null
             */
            id?: number | null;
            /** @enum {unknown} */
            type: "error";
        };
        /**
         * EventKind
         * @description The kind of a message on the user's ``orders`` channel.
         *     `order`: A new state of an order, with the funds after it if a paper order has changed them.
         *     `fill`: A trade with the order after it; of a paper order, with the position and funds after it.
         *     `settlement`: An expired contract was settled on paper, with the position and funds after it.
         *     `funds`: The funds have changed otherwise: by a reset, or at the end of the trading day.
         *     `limits`: A kill switch of the user or the loss lock was set or lifted.
         * @enum {unknown}
         */
        EventKind: "fill" | "funds" | "limits" | "order" | "settlement";
        /**
         * Expiring
         * @description The access token expires soon. A newer token renews the stream.
         */
        Expiring: {
            /** @description Unix seconds. */
            expires_at: number;
            /** @enum {unknown} */
            type: "expiring";
        };
        /**
         * FeedState
         * @description State of ingest's market-data connection; docs/bus.md defines each state.
         * @enum {unknown}
         */
        FeedState: "closed" | "connecting" | "failing_over" | "live" | "stale" | "unauthorised";
        /**
         * FeedStatus
         * @description The feed's state and the status of the market segments.
         */
        FeedStatus: {
            /**
             * @description When ingest published this message, epoch ms of ingest's clock.
             * @default null
             */
            at?: number | null;
            /**
             * @description The reason for the state, for people.
             * @default
             */
            detail?: string;
            epoch: number;
            /**
             * @description Upstox's market status by segment, e.g. ``NORMAL_OPEN``.
             * @default {}
             */
            segments?: {
                [key: string]: string;
            };
            /**
             * @description Whether the feed comes from a simulator, so that no price is of the real market.
             * @default null
             */
            simulated?: boolean | null;
            /** @description When this state began, epoch ms of ingest's clock. */
            since: number;
            /**
             * @description Keys of live instruments without data for long while their segment trades; the longest silence first, at most as many as fit in a message.
             * @default []
             */
            stale?: string[];
            state: components["schemas"]["FeedState"];
        };
        /**
         * Funds
         * @description Money of an account, on the day. None: the broker does not tell the amount.
         *
         *         On paper, `available` = `cash` + `realised` - `charges` - margins. At Upstox it is `cash` - `used`
         *         plus what is pledged.
         */
        Funds: {
            account: components["schemas"]["Account"];
            /** Format: decimal */
            available: string;
            /**
             * Format: decimal
             * @description At the start of the trading day, plus and minus deliveries; at Upstox also payments.
             */
            cash: string;
            /**
             * @description Of the trading day.
             * @default null
             */
            charges?: string | null;
            /**
             * @description Reserved for open orders.
             * @default null
             */
            order_margin?: string | null;
            /** @default null */
            position_margin?: string | null;
            /**
             * @description Of the trading day, before charges.
             * @default null
             */
            realised?: string | null;
            /**
             * @description None while an LTP is missing.
             * @default null
             */
            unrealised?: string | null;
            /**
             * @description Upstox only: margins of orders and positions, and losses of the day, in one amount.
             * @default null
             */
            used?: string | null;
        };
        /**
         * Gap
         * @description Messages of this channel may have been missed. The stream does not resend them.
         */
        Gap: {
            channel: components["schemas"]["Channel"];
            /** @enum {unknown} */
            type: "gap";
        };
        /**
         * Greeks
         * @description Sensitivities of an option's price, as Upstox computes them.
         */
        Greeks: {
            delta: number;
            gamma: number;
            rho: number;
            theta: number;
            vega: number;
        };
        /**
         * Heartbeat
         * @description The gateway is alive. It is sent at an interval, whether or not anything else is.
         */
        Heartbeat: {
            /** @description Whether the gateway has received the state of the feed within the last six seconds. */
            feed_is_current: boolean;
            /** @description The gateway's clock, Unix milliseconds. */
            now: number;
            /** @enum {unknown} */
            type: "heartbeat";
        };
        /**
         * Limits
         * @description The limits of a user, and what stops new orders.
         */
        Limits: {
            /** @description The user has stopped new orders. */
            kill_switch: boolean;
            /** @description The loss of the day has stopped new orders. */
            loss_lock: boolean;
            /** Format: decimal */
            max_daily_loss: string;
            max_open_orders: number;
            max_order_quantity: number;
            /** Format: decimal */
            max_order_value: string;
            max_orders_per_day: number;
            max_orders_per_sec: number;
            /** @description All kill switches that are on: of the user, of instruments and the global one. */
            switches: components["schemas"]["ActiveSwitch"][];
        };
        /**
         * OptionState
         * @description One option of a chain; without prices if the feed does not carry it.
         */
        OptionState: {
            /**
             * @description Best ask price.
             * @default null
             */
            ask?: number | null;
            /**
             * @description Quantity at the best ask.
             * @default null
             */
            ask_qty?: number | null;
            /**
             * @description Best bid price.
             * @default null
             */
            bid?: number | null;
            /**
             * @description Quantity at the best bid.
             * @default null
             */
            bid_qty?: number | null;
            /**
             * @description Previous close.
             * @default null
             */
            cp?: number | null;
            /** @default null */
            greeks?: components["schemas"]["Greeks"] | null;
            /**
             * @description Implied volatility, as a fraction.
             * @default null
             */
            iv?: number | null;
            /** @description Instrument key. */
            key: string;
            /**
             * @description Last traded price.
             * @default null
             */
            ltp?: number | null;
            /**
             * @description Last trade time.
             * @default null
             */
            ltt?: number | null;
            /**
             * @description Open interest.
             * @default null
             */
            oi?: number | null;
            /**
             * @description The day's cumulative volume.
             * @default null
             */
            volume?: number | null;
        };
        /**
         * OrderBooks
         * @description Order books of instruments.
         */
        OrderBooks: {
            data: components["schemas"]["Depth"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "depth";
        };
        /**
         * OrderEvents
         * @description Events of the user's orders and accounts, in order.
         */
        OrderEvents: {
            data: components["schemas"]["UserEvent"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "orders";
        };
        /**
         * OrderType
         * @description Upstox's `order_type`.
         * @enum {unknown}
         */
        OrderType: "LIMIT" | "MARKET" | "SL" | "SL-M";
        /**
         * OrderView
         * @description An order as its user sees it.
         */
        OrderView: {
            account: components["schemas"]["Account"];
            /** @default null */
            average_price?: string | null;
            /** @default null */
            broker_order_id?: string | null;
            /**
             * @description Of the fills so far.
             * @default null
             */
            charges?: string | null;
            /** @default null */
            code?: string | null;
            created_at: number;
            /**
             * @description The last refusal, or why the state is unknown.
             * @default null
             */
            detail?: string | null;
            /** @default 0 */
            disclosed_quantity?: number;
            event_count: number;
            /**
             * @description Whether the order was placed elsewhere, and was found at the broker.
             * @default false
             */
            external?: boolean;
            filled_quantity: number;
            key: string;
            /** @default null */
            market_protection_percent?: string | null;
            order_id: string;
            order_type: components["schemas"]["OrderType"];
            /**
             * @description A modification or cancellation whose effect is not known yet.
             * @default null
             */
            pending?: components["schemas"]["Pending"] | null;
            /** @default null */
            price?: string | null;
            product: components["schemas"]["Product"];
            quantity: number;
            side: components["schemas"]["Side"];
            state: string;
            /** @default null */
            trigger_price?: string | null;
            validity: components["schemas"]["Validity"];
        };
        /**
         * Outcome
         * @description The result of a subscription to one key.
         *     `live`: The feed carries it. Its last message follows at once, if there is one.
         *     `pending`: Requested of the feed; another outcome follows.
         *     `no_capacity`: The feed is full. Delivery begins when capacity becomes free.
         *     `unknown`: No such instrument; in the answer to an unsubscribe: not subscribed.
         *     `needs_plus`: The plan of the Upstox account has no order books of 30 levels.
         *     `removed`: Unsubscribed.
         * @enum {unknown}
         */
        Outcome: "live" | "needs_plus" | "no_capacity" | "pending" | "removed" | "unknown";
        /**
         * Outcomes
         * @description Subscribed keys whose outcome has changed since it was last reported.
         */
        Outcomes: {
            channel: components["schemas"]["Channel"];
            /** @description The new outcome of each key. */
            results: {
                [key: string]: components["schemas"]["Outcome"];
            };
            /** @enum {unknown} */
            type: "outcomes";
        };
        /**
         * Pending
         * @description A command on an order whose effect is not known yet.
         * @enum {unknown}
         */
        Pending: "cancel" | "modify";
        /**
         * Ping
         * @description Requests a pong.
         */
        Ping: {
            /** @default null */
            id?: number | null;
            /** @enum {unknown} */
            op: "ping";
        };
        /**
         * Pong
         * @description The answer to a ping.
         */
        Pong: {
            /**
             * @description The `id` of the ping, if it had one.
             * @default null
             */
            id?: number | null;
            /** @description The gateway's clock when it answered, Unix milliseconds. */
            now: number;
            /** @enum {unknown} */
            type: "pong";
        };
        /**
         * PositionView
         * @description A position of the trading day, closed ones included.
         */
        PositionView: {
            /** @default null */
            average_price?: string | null;
            buy_quantity: number;
            /** Format: decimal */
            buy_value: string;
            key: string;
            /** @default null */
            ltp?: string | null;
            product: components["schemas"]["Product"];
            /** @description Negative for a short position. */
            quantity: number;
            /**
             * Format: decimal
             * @description Before charges.
             */
            realised: string;
            sell_quantity: number;
            /** Format: decimal */
            sell_value: string;
            /**
             * @description At which an expired contract was settled in cash on paper; None otherwise.
             * @default null
             */
            settled_price?: string | null;
            /**
             * @description None while no LTP is known.
             * @default null
             */
            unrealised?: string | null;
        };
        /**
         * Product
         * @description Upstox's `product`: intraday, delivery or carry-forward, margin trading facility.
         * @enum {unknown}
         */
        Product: "D" | "I" | "MTF";
        /**
         * Quote
         * @description The complete current state of an instrument; a later quote replaces any earlier one.
         */
        Quote: {
            /**
             * @description Best ask price in the order book.
             * @default null
             */
            ask?: number | null;
            /**
             * @description Quantity at the best ask.
             * @default null
             */
            ask_qty?: number | null;
            /**
             * @description The day's average traded price.
             * @default null
             */
            atp?: number | null;
            /**
             * @description Best bid price in the order book.
             * @default null
             */
            bid?: number | null;
            /**
             * @description Quantity at the best bid.
             * @default null
             */
            bid_qty?: number | null;
            /**
             * @description Previous close.
             * @default null
             */
            cp?: number | null;
            /** @description Term of the ingest leader; a later leader has a higher epoch. */
            epoch: number;
            /**
             * @description The day's highest price.
             * @default null
             */
            high?: number | null;
            /**
             * @description Indicative price of a running auction: what it would match at now. It is no trade.
             * @default null
             */
            iep?: number | null;
            /**
             * @description Indicative quantity of a running auction: what it would match now. It is no trade.
             * @default null
             */
            ieq?: number | null;
            /** @description Instrument key, e.g. `NSE_EQ|INE002A01018`. */
            key: string;
            /**
             * @description The day's lowest price.
             * @default null
             */
            low?: number | null;
            /**
             * @description Last traded price.
             * @default null
             */
            ltp?: number | null;
            /**
             * @description Last traded quantity.
             * @default null
             */
            ltq?: number | null;
            /**
             * @description Last trade time.
             * @default null
             */
            ltt?: number | null;
            /**
             * @description Open interest.
             * @default null
             */
            oi?: number | null;
            /**
             * @description The day's first price; like `high` and `low` unknown before the day's first trade.
             * @default null
             */
            open?: number | null;
            /** @description Time of receipt by Trade Dad, Unix microseconds. */
            rt: number;
            /** @description Count of this instrument's quotes in the epoch, from 1. It rises, and skips numbers when quotes were replaced by newer ones or lost with a connection. */
            seq: number;
            /**
             * @description True if the quote comes from a snapshot of the feed, which is not a new trade.
             * @default false
             */
            snap?: boolean;
            /**
             * @description Total buy quantity in the order book.
             * @default null
             */
            tbq?: number | null;
            /** @description Time of the feed's message. */
            ts: number;
            /**
             * @description Total sell quantity in the order book.
             * @default null
             */
            tsq?: number | null;
            /**
             * @description The day's cumulative volume.
             * @default null
             */
            volume?: number | null;
        };
        /**
         * Quotes
         * @description Quotes in order; the last one of an instrument is the newest.
         */
        Quotes: {
            data: components["schemas"]["Quote"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "quotes";
        };
        /**
         * Side
         * @description Upstox's `transaction_type`.
         * @enum {unknown}
         */
        Side: "BUY" | "SELL";
        /**
         * Statuses
         * @description State of the feed, at every change and every 2 s.
         */
        Statuses: {
            data: components["schemas"]["FeedStatus"][];
            /** @description True if the batch has the newest state of each instrument, of any age; otherwise absent. */
            snapshot?: boolean;
            /** @enum {unknown} */
            type: "status";
        };
        /**
         * Subscribe
         * @description Subscribes to a channel, or to more instruments of it.
         */
        Subscribe: {
            channel: components["schemas"]["Channel"];
            id: number;
            /**
             * @description Send the newest message of each of these instruments once per interval, instead of every message. It holds until the key is subscribed to again or unsubscribed. Of several subscriptions that include an instrument, the shortest interval counts.
             * @default null
             */
            interval_ms?: number | null;
            /** @default [] */
            keys?: string[];
            /** @enum {unknown} */
            op: "subscribe";
        };
        /**
         * SwitchScope
         * @description Whose new orders a kill switch stops.
         *     `global`: Those of all users.
         *     `instrument`: Those of all users in one instrument.
         *     `user`: Those of one user.
         * @enum {unknown}
         */
        SwitchScope: "global" | "instrument" | "user";
        /**
         * SwitchSetter
         * @description Party that has set a kill switch, and can lift it.
         * @enum {unknown}
         */
        SwitchSetter: "administrator" | "user";
        /**
         * Trade
         * @description One fill of an order.
         */
        Trade: {
            key: string;
            order_id: string;
            /** Format: decimal */
            price: string;
            product: components["schemas"]["Product"];
            quantity: number;
            side: components["schemas"]["Side"];
            trade_id: string;
            traded_at: number;
        };
        /**
         * Unsubscribe
         * @description Ends subscriptions.
         */
        Unsubscribe: {
            channel: components["schemas"]["Channel"];
            id: number;
            /** @default [] */
            keys?: string[];
            /** @enum {unknown} */
            op: "unsubscribe";
        };
        /**
         * UserEvent
         * @description One event of a user, published on ``orders.<user>`` after it was stored.
         */
        UserEvent: {
            at: number;
            /** @default null */
            funds?: components["schemas"]["Funds"] | null;
            kind: components["schemas"]["EventKind"];
            /** @default null */
            limits?: components["schemas"]["Limits"] | null;
            /** @default null */
            order?: components["schemas"]["OrderView"] | null;
            /** @default null */
            position?: components["schemas"]["PositionView"] | null;
            /** @description Number of the event of this user; rises by one. */
            seq: number;
            /** @default null */
            trade?: components["schemas"]["Trade"] | null;
        };
        /**
         * Validity
         * @description How long an order remains in the market.
         * @enum {unknown}
         */
        Validity: "DAY" | "IOC";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
