// Generated from docs/gateway.openapi.json by `make docs`. Do not edit.
export interface paths {
    "/v1/admin/gateway": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Streams, subscriptions and instruments of the gateway that answers. */
        get: operations["gatewayFigures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far bars are stored, and what is missing. */
        get: operations["historyFigures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/kill-switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The global kill switch and those of instruments that are on. */
        get: operations["killSwitches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/kill-switch/global": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Stop or allow new orders of all users. */
        put: operations["setGlobalKillSwitch"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/kill-switch/instruments/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Stop or allow new orders of all users in one instrument. */
        put: operations["setInstrumentKillSwitch"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/kill-switch/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Stop or allow new orders of one user. */
        put: operations["setUserKillSwitch"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{user_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Events of a user after a sequence number, the oldest first. */
        get: operations["userEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{user_id}/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The limits of a user's orders, and what stops new orders. */
        get: operations["userLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{user_id}/loss-lock/lift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lift the loss lock of a user, at most once on a trading day. */
        post: operations["liftLossLock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{user_id}/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Orders of a user of the trading day, the newest first. */
        get: operations["userOrders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bars": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Bars of an instrument, in pages. */
        get: operations["bars"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/funds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Money of an account. */
        get: operations["funds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/gaps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Periods in which trades of an instrument may have been missed, in pages. */
        get: operations["gaps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/holdings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shares of an account that are delivered, or arrive on the next trading day. */
        get: operations["holdings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instruments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Search instruments by words, or get instruments by key. */
        get: operations["instruments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instruments/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One instrument, with its price band and other reference data of the day. */
        get: operations["instrument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/kill-switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Stop or allow new orders of the user. */
        put: operations["setKillSwitch"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The limits of the user's orders. */
        get: operations["limits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/link/upstox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of a link to an Upstox account. */
        get: operations["upstoxLink"];
        put?: never;
        /** Start a login at Upstox. */
        post: operations["linkUpstox"];
        /** Log out at Upstox and forget the link. */
        delete: operations["unlinkUpstox"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/link/upstox/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Finish a login at Upstox that the same user has started: make the link. */
        post: operations["finishUpstoxLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/link/upstox/request": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let Upstox ask the user for a new token, in its app or by WhatsApp. */
        post: operations["requestUpstoxToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/option-chain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The options on an underlying that expire on one day, with their last known prices. */
        get: operations["option_chain"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Orders of the trading day, the newest first. */
        get: operations["orders"];
        put?: never;
        /** Place an order. */
        post: operations["placeOrder"];
        /** Cancel all open orders of an account. */
        delete: operations["cancelAllOrders"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{order_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An order of the trading day with its events. */
        get: operations["order"];
        put?: never;
        post?: never;
        /** Cancel an open order. */
        delete: operations["cancelOrder"];
        options?: never;
        head?: never;
        /** Change the terms of an open order. */
        patch: operations["modifyOrder"];
        trace?: never;
    };
    "/v1/orders/{order_id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check new terms of an open order and compute its margin and charges. */
        post: operations["previewOrderChanges"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Events of the user after a sequence number, to catch up with the stream. */
        get: operations["orderEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check an order and compute its margin and charges, without sending it. */
        post: operations["previewOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/paper/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reset the paper account: no orders, no positions, the initial cash. */
        post: operations["resetPaperAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/positions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Positions of the trading day, closed ones included. */
        get: operations["positions"];
        put?: never;
        post?: never;
        /** Close all positions of an account by market orders. */
        delete: operations["exitAllPositions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/positions/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Close one position by a market order. */
        delete: operations["exitPosition"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/quotes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The last known quote of each of some instruments. */
        get: operations["quotes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of the market feed, of the market's segments, and of this gateway. */
        get: operations["status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trades": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Trades of the trading day, the newest first. */
        get: operations["trades"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Account
         * @description Where an order is sent. Nothing defaults from one account to the other.
         * @enum {string}
         */
        Account: "paper" | "upstox";
        /**
         * ActiveSwitch
         * @description A kill switch that is on: only orders that close a position are accepted.
         */
        ActiveSwitch: {
            /** At */
            at: number;
            /**
             * Key
             * @description The instrument, of a switch with that scope.
             * @default null
             */
            key?: string | null;
            /**
             * Reason
             * @description In the words of an administrator; empty for the user's own switch.
             * @default
             */
            reason?: string;
            scope: components["schemas"]["SwitchScope"];
            /** @description Only the user, or only an administrator, can lift it. */
            set_by: components["schemas"]["SwitchSetter"];
        };
        /**
         * Bars
         * @description A page of bars, the oldest first.
         */
        Bars: {
            /** Bars */
            bars: components["schemas"]["HistoryBar"][];
            /**
             * Interval
             * @enum {string}
             */
            interval: "1m" | "3m" | "5m" | "15m" | "30m" | "1h" | "1d";
            /** Key */
            key: string;
            /**
             * Next
             * @description The `cursor` of the next page; absent on the last page. A page may be empty and have one.
             * @default null
             */
            next?: string | null;
            /**
             * @description The page lacks the bars of this time that are not fetched from Upstox yet. If there is a
             *     `next`, that page waits for them; otherwise Upstox is away: ask again later.
             * @default null
             */
            unfetched?: components["schemas"]["Unfetched"] | null;
        };
        /**
         * BarSource
         * @description Where a bar that is not made of the live feed comes from.
         * @enum {string}
         */
        BarSource: "upstox";
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
            /** Strike */
            strike: number;
        };
        /**
         * ChargesView
         * @description Charges of an order by kind.
         */
        ChargesView: {
            /** Brokerage */
            brokerage: string;
            /** Dp */
            dp: string;
            /** Exchange */
            exchange: string;
            /** Gst */
            gst: string;
            /** Investor Protection */
            investor_protection: string;
            /** Sebi */
            sebi: string;
            /** Stamp */
            stamp: string;
            /** Total */
            total: string;
            /**
             * Transaction Tax
             * @description STT or CTT.
             */
            transaction_tax: string;
        };
        /**
         * Code
         * @description Every error code that a client can receive; docs/errors.md documents them.
         * @enum {string}
         */
        Code: "bad_message" | "invalid_field" | "unauthenticated" | "token_expired" | "revoked" | "bad_credentials" | "forbidden" | "account_disabled" | "reauthentication_required" | "not_found" | "method_not_allowed" | "email_taken" | "stale_revision" | "idempotency_key_missing" | "idempotency_key_reused" | "command_in_flight" | "order_refused" | "order_final" | "broker_refused" | "link_state_invalid" | "link_refused" | "link_taken" | "limit_exceeded" | "too_many_attempts" | "rate_limited" | "too_large" | "unsupported_encoding" | "too_slow" | "overloaded" | "unavailable" | "timed_out" | "restarting" | "internal";
        /**
         * EventKind
         * @description The kind of a message on the user's ``orders`` channel.
         * @enum {string}
         */
        EventKind: "order" | "fill" | "settlement" | "funds" | "limits";
        /**
         * Events
         * @description A page of events, the oldest first.
         */
        Events: {
            /** Events */
            events: components["schemas"]["UserEvent"][];
            /**
             * Last Seq
             * @description The newest sequence number of the user. While the last event has a smaller one, there is a
             *     next page: send that as `after`.
             */
            last_seq: number;
        };
        /**
         * Feed
         * @description The state of the market-data connection, as ingest reported it last.
         */
        Feed: {
            /**
             * At
             * @description Time at which ingest published this, Unix milliseconds of ingest's clock.
             * @default null
             */
            at?: number | null;
            /**
             * Detail
             * @default
             */
            detail?: string;
            /** Epoch */
            epoch: number;
            /**
             * Segments
             * @description Market status by segment, in Upstox's notation, e.g. `NORMAL_OPEN`.
             * @default {}
             */
            segments?: {
                [key: string]: string;
            };
            /**
             * Simulated
             * @description Whether the prices come from a simulator, not from the market.
             * @default null
             */
            simulated?: boolean | null;
            /**
             * Since
             * @description Time at which this state began, Unix milliseconds of ingest's clock.
             */
            since: number;
            /**
             * Stale
             * @description Live instruments without an update for a long time while their segment trades.
             * @default []
             */
            stale?: string[];
            state: components["schemas"]["FeedState"];
        };
        /**
         * FeedState
         * @description State of ingest's market-data connection; docs/bus.md defines each state.
         * @enum {string}
         */
        FeedState: "connecting" | "live" | "stale" | "closed" | "unauthorised" | "failing_over";
        /**
         * Figures
         * @description Current figures of this gateway. Other gateways have figures of their own.
         */
        Figures: {
            /**
             * Epoch
             * @description The term of the ingest that leads; absent until ingest has published a status.
             * @default null
             */
            epoch?: number | null;
            /** Gateway Id */
            gateway_id: string;
            /**
             * Instruments
             * @description Instruments with a last quote.
             */
            instruments: number;
            /**
             * Max Keys Per Stream
             * @description How many keys and wildcards one stream can have, over all channels.
             */
            max_keys_per_stream: number;
            /**
             * Max Streams
             * @description How many there can be at most.
             */
            max_streams: number;
            /**
             * Modes
             * @description Subscriptions of ingest at Upstox, by mode; absent if ingest is not heard or has no
             *     connection.
             * @default null
             */
            modes?: {
                [key: string]: components["schemas"]["ModeFigures"];
            } | null;
            /**
             * Newest Quote Age Ms
             * @description Time since ingest received the newest quote that this gateway has; absent without a quote.
             * @default null
             */
            newest_quote_age_ms?: number | null;
            /**
             * Outcomes
             * @description Instruments that streams need of the feed, by outcome: `live`, `pending`, `no_capacity` above
             *     Upstox's limit for a connection, `unknown`, `needs_plus`.
             */
            outcomes: {
                [key: string]: number;
            };
            /**
             * Streams
             * @description Open WebSocket streams.
             */
            streams: number;
            /**
             * Subscriptions
             * @description Instruments that streams subscribe to by their key, by channel.
             */
            subscriptions: {
                [key: string]: number;
            };
            /**
             * Users
             * @description Users with an open stream.
             */
            users: number;
        };
        /**
         * Funds
         * @description Money of an account. An amount that the broker does not tell is absent.
         *
         *     On paper, `available` = `cash` + `realised` - `charges` - both margins. At Upstox it is `cash` -
         *     `used` plus what is pledged.
         */
        Funds: {
            account: components["schemas"]["Account"];
            /** Available */
            available: string;
            /**
             * Cash
             * @description At the start of the trading day, plus and minus deliveries; at Upstox also payments.
             */
            cash: string;
            /**
             * Charges
             * @description Of the trading day.
             * @default null
             */
            charges?: string | null;
            /**
             * Order Margin
             * @description Reserved for open orders.
             * @default null
             */
            order_margin?: string | null;
            /**
             * Position Margin
             * @default null
             */
            position_margin?: string | null;
            /**
             * Realised
             * @description Of the trading day, before charges.
             * @default null
             */
            realised?: string | null;
            /**
             * Unrealised
             * @description Absent while an LTP is missing.
             * @default null
             */
            unrealised?: string | null;
            /**
             * Used
             * @description Upstox only: margins of orders and positions, and losses of the day, in one amount.
             * @default null
             */
            used?: string | null;
        };
        /**
         * Gap
         * @description A period of whole five-minute windows in which trades may have been missed.
         */
        Gap: {
            /** From Ms */
            from_ms: number;
            reason: components["schemas"]["GapReason"];
            state: components["schemas"]["GapState"];
            /**
             * To Ms
             * @description Exclusive.
             */
            to_ms: number;
        };
        /**
         * GapReason
         * @description Why trades may be missing in a gap.
         * @enum {string}
         */
        GapReason: "feed_away" | "entries_lost" | "unseen_trades";
        /**
         * Gaps
         * @description A page of gaps, the oldest first.
         */
        Gaps: {
            /** Gaps */
            gaps: components["schemas"]["Gap"][];
            /** Key */
            key: string;
            /**
             * Next
             * @description The `cursor` of the next page; absent on the last page.
             * @default null
             */
            next?: string | null;
        };
        /**
         * GapState
         * @description Whether a gap has been repaired from Upstox's history. Abandoned: it has no such candles.
         * @enum {string}
         */
        GapState: "open" | "repaired" | "abandoned";
        /**
         * GatewayStatus
         * @description The state of the gateway that answers.
         */
        GatewayStatus: {
            /**
             * Instruments
             * @description Instruments with a last quote.
             */
            instruments: number;
            /** Ready */
            ready: boolean;
            /**
             * Streams
             * @description Open WebSocket streams.
             */
            streams: number;
            /**
             * Waiting For
             * @description Missing dependencies, each with the reason.
             */
            waiting_for: {
                [key: string]: string;
            };
        };
        /**
         * Greeks
         * @description Sensitivities of an option's price, as Upstox computes them.
         */
        Greeks: {
            /** Delta */
            delta: number;
            /** Gamma */
            gamma: number;
            /** Rho */
            rho: number;
            /** Theta */
            theta: number;
            /** Vega */
            vega: number;
        };
        /**
         * HistoryBar
         * @description One bar; prices in rupees, times in Unix milliseconds of exchange time.
         */
        HistoryBar: {
            /**
             * Atp
             * @description Average traded price of the day.
             * @default null
             */
            atp?: number | null;
            /**
             * Close
             * @description The last traded price in the bar.
             */
            close: number;
            /**
             * End
             * @description Exclusive. Bars of 1h begin a whole number of hours after the session's open, bars of 1d
             *     at 00:00 IST; the session may end before the bar.
             */
            end: number;
            /** High */
            high: number;
            /** Low */
            low: number;
            /**
             * Ltq
             * @description Last traded quantity, from the last quote with a trade of the last five-minute bar, like
             *     `ltt`, `atp` and `oi`.
             * @default null
             */
            ltq?: number | null;
            /**
             * Ltt
             * @description Last trade time.
             * @default null
             */
            ltt?: number | null;
            /**
             * Oi
             * @description Open interest.
             * @default null
             */
            oi?: number | null;
            /** Open */
            open: number;
            /**
             * Silent Ms
             * @description Time in the bar for which the feed was not live, in milliseconds.
             * @default 0
             */
            silent_ms?: number;
            /**
             * @description `upstox`: one of Upstox's candles, unchanged, with volume and open interest only.
             * @default null
             */
            source?: components["schemas"]["BarSource"] | null;
            /** Start */
            start: number;
            /**
             * @description `complete`; `repaired`: made from Upstox's candles; `partial`: a trade may be missing. A
             *     longer bar is `forming` until exchange time has passed its `end`, and then has the least certain
             *     state of its parts; a gap that is not repaired makes it `partial`.
             */
            state: components["schemas"]["HistoryBarState"];
            /**
             * Ticks
             * @description Received quotes with a new trade.
             */
            ticks: number;
            /**
             * Volume
             * @description Traded quantity in the bar; absent for an index.
             * @default null
             */
            volume?: number | null;
            /**
             * Vtt
             * @description Cumulative volume of the day at the bar's last trade; absent for an index.
             * @default null
             */
            vtt?: number | null;
        };
        /**
         * HistoryBarState
         * @description How complete a bar of a reply is; docs/bars.md defines each state.
         * @enum {string}
         */
        HistoryBarState: "complete" | "partial" | "repaired" | "forming";
        /**
         * Holding
         * @description Delivered shares, and shares that were bought and arrive on the next trading day.
         */
        Holding: {
            /** Average Price */
            average_price: string;
            /** Key */
            key: string;
            /**
             * Ltp
             * @default null
             */
            ltp?: string | null;
            /** Quantity */
            quantity: number;
            /**
             * T1 Quantity
             * @description Bought, not yet delivered.
             */
            t1_quantity: number;
        };
        /**
         * Holdings
         * @description All holdings.
         */
        Holdings: {
            /** Holdings */
            holdings: components["schemas"]["Holding"][];
        };
        /**
         * Instrument
         * @description One instrument of Upstox's master; prices in rupees.
         */
        Instrument: {
            /** Exchange */
            exchange: string;
            /**
             * Expiry
             * @description `YYYY-MM-DD`.
             * @default null
             */
            expiry?: string | null;
            /**
             * Freeze Quantity
             * @default null
             */
            freeze_quantity?: number | null;
            /**
             * Has Derivatives
             * @description Whether there are futures or options on this instrument.
             * @default false
             */
            has_derivatives?: boolean;
            /**
             * Isin
             * @default null
             */
            isin?: string | null;
            /** Key */
            key: string;
            /**
             * Lot Size
             * @default null
             */
            lot_size?: number | null;
            /**
             * Multiplier
             * @description Price units in one unit of quantity; above 1 for commodities, whose unit is a lot.
             * @default null
             */
            multiplier?: number | null;
            /** Name */
            name: string;
            /** Segment */
            segment: string;
            /**
             * Strike
             * @default null
             */
            strike?: number | null;
            /** Symbol */
            symbol: string;
            /**
             * Tick Size
             * @default null
             */
            tick_size?: number | null;
            /**
             * Type
             * @description `EQ`, `INDEX`, `FUT`, `CE`, `PE` and others, in Upstox's notation.
             */
            type: string;
            /**
             * Underlying Key
             * @default null
             */
            underlying_key?: string | null;
            /**
             * Underlying Symbol
             * @default null
             */
            underlying_symbol?: string | null;
        };
        /**
         * InstrumentDetail
         * @description One instrument with its reference data of the day.
         */
        InstrumentDetail: {
            instrument: components["schemas"]["Instrument"];
            /**
             * @description Absent if Upstox does not tell it at the moment.
             * @default null
             */
            reference?: components["schemas"]["Reference"] | null;
        };
        /**
         * Instruments
         * @description The instruments that match.
         */
        Instruments: {
            /**
             * Instruments
             * @description Best match first, or in the order of `keys`.
             */
            instruments: components["schemas"]["Instrument"][];
            /**
             * Unknown
             * @description The `keys` that are not instruments.
             * @default null
             */
            unknown?: string[] | null;
        };
        /**
         * KillSwitch
         * @description The user's own kill switch.
         */
        KillSwitch: {
            /**
             * Is On
             * @description The user has stopped new orders.
             */
            is_on: boolean;
        };
        /**
         * KillSwitchSetting
         * @description Whether new orders of the user are stopped.
         */
        KillSwitchSetting: {
            /** Is On */
            is_on: boolean;
        };
        /**
         * Limits
         * @description The limits of a user, and what stops new orders.
         */
        Limits: {
            /**
             * Kill Switch
             * @description The user has stopped new orders.
             */
            kill_switch: boolean;
            /**
             * Loss Lock
             * @description The loss of the day has stopped new orders.
             */
            loss_lock: boolean;
            /** Max Daily Loss */
            max_daily_loss: string;
            /** Max Open Orders */
            max_open_orders: number;
            /** Max Order Quantity */
            max_order_quantity: number;
            /** Max Order Value */
            max_order_value: string;
            /** Max Orders Per Day */
            max_orders_per_day: number;
            /** Max Orders Per Sec */
            max_orders_per_sec: number;
            /**
             * Switches
             * @description All kill switches that are on: of the user, of instruments and the global one.
             */
            switches: components["schemas"]["ActiveSwitch"][];
        };
        /**
         * LinkBeginReply
         * @description Where the user's browser must go.
         */
        LinkBeginReply: {
            /**
             * Expires At
             * @description The login must end before; Unix milliseconds.
             */
            expires_at: number;
            /**
             * Login Url
             * @description A page of Upstox. Only the user who is to be linked may open it.
             */
            login_url: string;
        };
        /**
         * LinkProblem
         * @description An error of an operation on links.
         */
        LinkProblem: {
            code: components["schemas"]["Code"];
            /** Detail */
            detail: string;
            /**
             * Field
             * @default null
             */
            field?: string | null;
            /** Status */
            status: number;
            /**
             * Upstox Code
             * @description For `link_refused`: the error code of Upstox, if it gave one.
             * @default null
             */
            upstox_code?: string | null;
        };
        /**
         * LinkPurpose
         * @description Purpose of a linked account.
         * @enum {string}
         */
        LinkPurpose: "trading" | "feed";
        /**
         * LinkState
         * @description Whether a link can be used.
         * @enum {string}
         */
        LinkState: "unlinked" | "waiting" | "linked" | "expired";
        /**
         * LinkView
         * @description A link. Times are Unix milliseconds.
         */
        LinkView: {
            /**
             * Detail
             * @description Why the link has expired, or the last failure.
             * @default null
             */
            detail?: string | null;
            /**
             * Expires At
             * @description The next 03:30 IST after the token was issued: then Upstox ends it.
             * @default null
             */
            expires_at?: number | null;
            /**
             * Linked At
             * @default null
             */
            linked_at?: number | null;
            /**
             * Live Trading
             * @description The operator allows orders on Upstox accounts.
             */
            live_trading: boolean;
            /**
             * Own App
             * @description With the user's own app at Upstox.
             */
            own_app: boolean;
            purpose: components["schemas"]["LinkPurpose"];
            /** @description `unlinked`; `waiting` for the user, whom Upstox asks; `linked`; `expired`: log in again. */
            state: components["schemas"]["LinkState"];
            /**
             * Upstox User Id
             * @default null
             */
            upstox_user_id?: string | null;
            /**
             * User Name
             * @description As Upstox has it.
             * @default null
             */
            user_name?: string | null;
        };
        /**
         * LoginEnd
         * @description A login at Upstox to finish.
         */
        LoginEnd: {
            /**
             * Answer
             * @description The text of the page to which Upstox has sent the user's browser. Space around it is ignored.
             */
            answer: string;
        };
        /**
         * LossLockLift
         * @description Why the loss lock of a user is lifted.
         */
        LossLockLift: {
            /**
             * Reason
             * @description In the words of the administrator.
             */
            reason: string;
        };
        /**
         * ModeFigures
         * @description How much of one of Upstox's subscription modes is used.
         */
        ModeFigures: {
            /**
             * Limit
             * @description Upstox's limit for one connection, beside the other modes that are in use.
             */
            limit: number;
            /** Subscribed */
            subscribed: number;
        };
        /**
         * NewLogin
         * @description A login at Upstox to start.
         */
        NewLogin: {
            /**
             * Client Id
             * @description The API key of the user's own app at Upstox. If it is absent, the operator's app is used.
             * @default null
             */
            client_id?: string | null;
            /**
             * Client Secret
             * @description The secret of the user's own app; required with `client_id`. It is stored sealed.
             * @default null
             */
            client_secret?: string | null;
            /** @description `trading` or `feed`, as in the query of the other operations. */
            purpose: components["schemas"]["LinkPurpose"];
        };
        /**
         * NewOrder
         * @description The terms of an order. Prices are in rupees: decimal strings, or JSON numbers.
         */
        NewOrder: {
            /** @description `paper` or `upstox`. It has no default. */
            account: components["schemas"]["Account"];
            /**
             * Disclosed Quantity
             * @default 0
             */
            disclosed_quantity?: number;
            /**
             * Key
             * @description Instrument key, e.g. `NSE_EQ|INE002A01018`.
             */
            key: string;
            /**
             * Market Protection Percent
             * @description For `MARKET` and `SL-M`: the greatest distance from the reference price, in percent. If
             *     absent, it follows from the kind and the price of the instrument.
             * @default null
             */
            market_protection_percent?: string | number | null;
            order_type: components["schemas"]["OrderType"];
            /**
             * Price
             * @description The limit; required for `LIMIT` and `SL`.
             * @default null
             */
            price?: string | number | null;
            /** @description `I` intraday, `D` delivery or carry-forward, `MTF` margin trading facility. */
            product: components["schemas"]["Product"];
            /**
             * Quantity
             * @description In units; on MCX in lots.
             */
            quantity: number;
            side: components["schemas"]["Side"];
            /**
             * Trigger Price
             * @description Required for `SL` and `SL-M`.
             * @default null
             */
            trigger_price?: string | number | null;
            /** @default DAY */
            validity?: components["schemas"]["Validity"];
        };
        /**
         * NoQuote
         * @description The reason why an instrument has no quote.
         * @enum {string}
         */
        NoQuote: "not_followed" | "no_capacity" | "unknown";
        /**
         * OptionChain
         * @description The options on an underlying that expire on one day, with what is known of their prices.
         */
        OptionChain: {
            /**
             * Expiries
             * @description All days on which options on the underlying expire, the nearest first.
             */
            expiries: string[];
            /**
             * Expiry
             * @description `YYYY-MM-DD`.
             */
            expiry: string;
            /**
             * Lot Size
             * @description Absent if unknown, or if the contracts differ.
             * @default null
             */
            lot_size?: number | null;
            /**
             * Ltp
             * @description Last traded price of the underlying.
             * @default null
             */
            ltp?: number | null;
            /**
             * Rows
             * @description Lowest strike first.
             */
            rows: components["schemas"]["ChainRow"][];
            /**
             * Underlying
             * @description Instrument key.
             */
            underlying: string;
        };
        /**
         * OptionState
         * @description One option of a chain; without prices if the feed does not carry it.
         */
        OptionState: {
            /**
             * Ask
             * @description Best ask price.
             * @default null
             */
            ask?: number | null;
            /**
             * Ask Qty
             * @description Quantity at the best ask.
             * @default null
             */
            ask_qty?: number | null;
            /**
             * Bid
             * @description Best bid price.
             * @default null
             */
            bid?: number | null;
            /**
             * Bid Qty
             * @description Quantity at the best bid.
             * @default null
             */
            bid_qty?: number | null;
            /**
             * Cp
             * @description Previous close.
             * @default null
             */
            cp?: number | null;
            /** @default null */
            greeks?: components["schemas"]["Greeks"] | null;
            /**
             * Iv
             * @description Implied volatility, as a fraction.
             * @default null
             */
            iv?: number | null;
            /**
             * Key
             * @description Instrument key.
             */
            key: string;
            /**
             * Ltp
             * @description Last traded price.
             * @default null
             */
            ltp?: number | null;
            /**
             * Ltt
             * @description Last trade time.
             * @default null
             */
            ltt?: number | null;
            /**
             * Oi
             * @description Open interest.
             * @default null
             */
            oi?: number | null;
            /**
             * Volume
             * @description The day's cumulative volume.
             * @default null
             */
            volume?: number | null;
        };
        /**
         * OrderChanges
         * @description New terms of an open order. A field that is absent or null stays as it is.
         */
        OrderChanges: {
            /**
             * Disclosed Quantity
             * @default null
             */
            disclosed_quantity?: number | null;
            /** @default null */
            order_type?: components["schemas"]["OrderType"] | null;
            /**
             * Price
             * @default null
             */
            price?: string | number | null;
            /**
             * Quantity
             * @description The new quantity of the whole order, filled shares included.
             * @default null
             */
            quantity?: number | null;
            /**
             * Trigger Price
             * @default null
             */
            trigger_price?: string | number | null;
            /** @default null */
            validity?: components["schemas"]["Validity"] | null;
        };
        /**
         * OrderDetail
         * @description An order with its events, the oldest first.
         */
        OrderDetail: {
            /**
             * Events
             * @description As they were stored. New kinds and fields may be added.
             */
            events: {
                [key: string]: unknown;
            }[];
            order: components["schemas"]["OrderView"];
        };
        /**
         * OrderProblem
         * @description An error of an operation on orders or accounts.
         */
        OrderProblem: {
            /**
             * Broker Code
             * @description For `broker_refused`: the broker's own code.
             * @default null
             */
            broker_code?: string | null;
            /**
             * Broker Detail
             * @description For `broker_refused`: the broker's own words.
             * @default null
             */
            broker_detail?: string | null;
            code: components["schemas"]["Code"];
            /** Detail */
            detail: string;
            /**
             * Field
             * @default null
             */
            field?: string | null;
            /**
             * Limit
             * @description For `order_refused`: what the check allows, if that is one value.
             * @default null
             */
            limit?: string | null;
            /**
             * Rule
             * @description For `order_refused`: the check that refuses the order.
             * @default null
             */
            rule?: string | null;
            /** Status */
            status: number;
            /**
             * Value
             * @description For `order_refused`: what the order has.
             * @default null
             */
            value?: string | null;
        };
        /**
         * Orders
         * @description Orders, the newest first.
         */
        Orders: {
            /** Orders */
            orders: components["schemas"]["OrderView"][];
        };
        /**
         * OrdersReply
         * @description The orders that a command touched; some may be refused.
         */
        OrdersReply: {
            /** Orders */
            orders: components["schemas"]["OrderView"][];
        };
        /**
         * OrderType
         * @description Upstox's `order_type`.
         * @enum {string}
         */
        OrderType: "MARKET" | "LIMIT" | "SL" | "SL-M";
        /**
         * OrderView
         * @description An order.
         */
        OrderView: {
            account: components["schemas"]["Account"];
            /**
             * Average Price
             * @description Of the fills so far.
             * @default null
             */
            average_price?: string | null;
            /**
             * Broker Order Id
             * @default null
             */
            broker_order_id?: string | null;
            /**
             * Charges
             * @description Of the fills so far.
             * @default null
             */
            charges?: string | null;
            /**
             * Code
             * @default null
             */
            code?: string | null;
            /** Created At */
            created_at: number;
            /**
             * Detail
             * @description The last refusal, or why the state is unknown.
             * @default null
             */
            detail?: string | null;
            /**
             * Disclosed Quantity
             * @default 0
             */
            disclosed_quantity?: number;
            /** Event Count */
            event_count: number;
            /**
             * External
             * @description Whether the order was placed elsewhere, and was found at the broker.
             * @default false
             */
            external?: boolean;
            /** Filled Quantity */
            filled_quantity: number;
            /** Key */
            key: string;
            /**
             * Market Protection Percent
             * @default null
             */
            market_protection_percent?: string | null;
            /** Order Id */
            order_id: string;
            order_type: components["schemas"]["OrderType"];
            /**
             * @description A modification or cancellation whose effect is not known yet.
             * @default null
             */
            pending?: components["schemas"]["Pending"] | null;
            /**
             * Price
             * @default null
             */
            price?: string | null;
            product: components["schemas"]["Product"];
            /** Quantity */
            quantity: number;
            side: components["schemas"]["Side"];
            /**
             * State
             * @description `intent`, `sending`, `open`, `partly_filled`, `unknown`, or final: `filled`, `cancelled`,
             *     `rejected`, `expired`.
             */
            state: string;
            /**
             * Trigger Price
             * @default null
             */
            trigger_price?: string | null;
            validity: components["schemas"]["Validity"];
        };
        /**
         * Pending
         * @description A command on an order whose effect is not known yet.
         * @enum {string}
         */
        Pending: "modify" | "cancel";
        /**
         * Positions
         * @description All positions of the trading day.
         */
        Positions: {
            /**
             * Charges
             * @description Of the trading day; absent if the broker does not tell them.
             * @default null
             */
            charges?: string | null;
            /** Positions */
            positions: components["schemas"]["PositionView"][];
        };
        /**
         * PositionView
         * @description A position of the trading day, closed ones included.
         */
        PositionView: {
            /**
             * Average Price
             * @default null
             */
            average_price?: string | null;
            /** Buy Quantity */
            buy_quantity: number;
            /** Buy Value */
            buy_value: string;
            /** Key */
            key: string;
            /**
             * Ltp
             * @default null
             */
            ltp?: string | null;
            product: components["schemas"]["Product"];
            /**
             * Quantity
             * @description Negative for a short position.
             */
            quantity: number;
            /**
             * Realised
             * @description Before charges.
             */
            realised: string;
            /** Sell Quantity */
            sell_quantity: number;
            /** Sell Value */
            sell_value: string;
            /**
             * Settled Price
             * @description At which an expired contract was settled in cash on paper; absent otherwise.
             * @default null
             */
            settled_price?: string | null;
            /**
             * Unrealised
             * @description Absent while no LTP is known.
             * @default null
             */
            unrealised?: string | null;
        };
        /**
         * Preview
         * @description Expected result of an order; nothing is sent and nothing is reserved.
         */
        Preview: {
            /**
             * Available
             * @description Before the order.
             * @default null
             */
            available?: string | null;
            /** @default null */
            charges?: components["schemas"]["ChargesView"] | null;
            /**
             * Margin
             * @description An estimate; absent while no price is known.
             * @default null
             */
            margin?: string | null;
            /** Passed */
            passed: boolean;
            /** Rules */
            rules: components["schemas"]["RuleResult"][];
            /**
             * Value
             * @description Quantity times price, or times the LTP for an order without a limit.
             * @default null
             */
            value?: string | null;
        };
        /**
         * Problem
         * @description An error (RFC 9457); `code` is stable, `detail` is for people and may change.
         */
        Problem: {
            code: components["schemas"]["Code"];
            /** Detail */
            detail: string;
            /**
             * Field
             * @default null
             */
            field?: string | null;
            /** Status */
            status: number;
        };
        /**
         * Product
         * @description Upstox's `product`: intraday, delivery or carry-forward, margin trading facility.
         * @enum {string}
         */
        Product: "I" | "D" | "MTF";
        /**
         * Quote
         * @description The complete current state of an instrument; a later quote replaces any earlier one.
         */
        Quote: {
            /**
             * Ask
             * @description Best ask price in the order book.
             * @default null
             */
            ask?: number | null;
            /**
             * Ask Qty
             * @description Quantity at the best ask.
             * @default null
             */
            ask_qty?: number | null;
            /**
             * Atp
             * @description The day's average traded price.
             * @default null
             */
            atp?: number | null;
            /**
             * Bid
             * @description Best bid price in the order book.
             * @default null
             */
            bid?: number | null;
            /**
             * Bid Qty
             * @description Quantity at the best bid.
             * @default null
             */
            bid_qty?: number | null;
            /**
             * Cp
             * @description Previous close.
             * @default null
             */
            cp?: number | null;
            /**
             * Epoch
             * @description Term of the ingest leader; a later leader has a higher epoch.
             */
            epoch: number;
            /**
             * High
             * @description The day's highest price.
             * @default null
             */
            high?: number | null;
            /**
             * Iep
             * @description Indicative price of a running auction: what it would match at now. It is no trade.
             * @default null
             */
            iep?: number | null;
            /**
             * Ieq
             * @description Indicative quantity of a running auction: what it would match now. It is no trade.
             * @default null
             */
            ieq?: number | null;
            /**
             * Key
             * @description Instrument key, e.g. `NSE_EQ|INE002A01018`.
             */
            key: string;
            /**
             * Low
             * @description The day's lowest price.
             * @default null
             */
            low?: number | null;
            /**
             * Ltp
             * @description Last traded price.
             * @default null
             */
            ltp?: number | null;
            /**
             * Ltq
             * @description Last traded quantity.
             * @default null
             */
            ltq?: number | null;
            /**
             * Ltt
             * @description Last trade time.
             * @default null
             */
            ltt?: number | null;
            /**
             * Oi
             * @description Open interest.
             * @default null
             */
            oi?: number | null;
            /**
             * Open
             * @description The day's first price; like `high` and `low` unknown before the day's first trade.
             * @default null
             */
            open?: number | null;
            /**
             * Rt
             * @description Time of receipt by Trade Dad, Unix microseconds.
             */
            rt: number;
            /**
             * Seq
             * @description Count of this instrument's quotes in the epoch, from 1. It rises, and skips numbers when quotes were replaced by newer ones or lost with a connection.
             */
            seq: number;
            /**
             * Snap
             * @description True if the quote comes from a snapshot of the feed, which is not a new trade.
             * @default false
             */
            snap?: boolean;
            /**
             * Tbq
             * @description Total buy quantity in the order book.
             * @default null
             */
            tbq?: number | null;
            /**
             * Ts
             * @description Time of the feed's message.
             */
            ts: number;
            /**
             * Tsq
             * @description Total sell quantity in the order book.
             * @default null
             */
            tsq?: number | null;
            /**
             * Volume
             * @description The day's cumulative volume.
             * @default null
             */
            volume?: number | null;
        };
        /**
         * Quotes
         * @description The last known quotes, in the order of `keys`.
         */
        Quotes: {
            /**
             * Missing
             * @description Keys without a quote, with the reason: `not_followed` (no client subscribes to it; subscribe
             *     to it on the stream), `no_capacity` (the feed is full), `unknown` (Upstox sends nothing for it).
             */
            missing: {
                [key: string]: components["schemas"]["NoQuote"];
            };
            /** Quotes */
            quotes: components["schemas"]["Quote"][];
        };
        /**
         * Reference
         * @description Reference data of the day; prices in rupees.
         */
        Reference: {
            /**
             * Lower Circuit
             * @description Lower end of the price band.
             * @default null
             */
            lower_circuit?: number | null;
            /**
             * Previous Close
             * @default null
             */
            previous_close?: number | null;
            /**
             * Taken At
             * @description When it was read, Unix milliseconds. It is read once a day, and again before the price of an
             *     order is refused.
             */
            taken_at: number;
            /**
             * Upper Circuit
             * @description Upper end of the price band.
             * @default null
             */
            upper_circuit?: number | null;
            /**
             * Year High
             * @default null
             */
            year_high?: number | null;
            /**
             * Year Low
             * @default null
             */
            year_low?: number | null;
        };
        /**
         * Renewal
         * @description A link whose next token Upstox is to ask its user for.
         */
        Renewal: {
            /** @description `trading` or `feed`, as in the query of the other operations. */
            purpose: components["schemas"]["LinkPurpose"];
        };
        /**
         * RuleResult
         * @description One check of an order. `limit` and `value` are text for people.
         */
        RuleResult: {
            /**
             * Detail
             * @default
             */
            detail?: string;
            /**
             * Limit
             * @default null
             */
            limit?: string | null;
            /** Passed */
            passed: boolean;
            /** Rule */
            rule: string;
            /**
             * Value
             * @default null
             */
            value?: string | null;
        };
        /**
         * Side
         * @description Upstox's `transaction_type`.
         * @enum {string}
         */
        Side: "BUY" | "SELL";
        /**
         * Status
         * @description The state of the feed and of the gateway.
         */
        Status: {
            /**
             * @description Absent until ingest has published a status.
             * @default null
             */
            feed?: components["schemas"]["Feed"] | null;
            /**
             * Feed Is Current
             * @description Whether `feed` is less than six seconds old.
             */
            feed_is_current: boolean;
            /**
             * Feed Told Secs Ago
             * @description Age of `feed`. Ingest publishes it every two seconds: an older one is outdated.
             * @default null
             */
            feed_told_secs_ago?: number | null;
            gateway: components["schemas"]["GatewayStatus"];
            /**
             * Now
             * @description The gateway's clock, Unix milliseconds.
             */
            now: number;
        };
        /**
         * StoredHistory
         * @description How far bars are stored, and what is missing, over all instruments.
         */
        StoredHistory: {
            /**
             * Abandoned Gaps
             * @description Gaps for which Upstox has no candles.
             */
            abandoned_gaps: number;
            /**
             * Open Gaps
             * @description Gaps that are still to be repaired.
             */
            open_gaps: number;
            /**
             * Partial Bars
             * @description Stored bars of which a trade may be missing; counted up to 1 000, like gaps.
             */
            partial_bars: number;
            /**
             * Stored Until Ms
             * @description End of the last five minutes whose bars are stored; absent if there never was one.
             * @default null
             */
            stored_until_ms?: number | null;
        };
        /**
         * Switch
         * @description A kill switch as it was set last.
         */
        Switch: {
            /**
             * At
             * @description Unix milliseconds.
             */
            at: number;
            /**
             * By
             * @description The user id of the administrator who has set or lifted it.
             */
            by: string;
            /** Is On */
            is_on: boolean;
            /**
             * Key
             * @description The instrument, of a switch with that scope.
             * @default null
             */
            key?: string | null;
            /** Reason */
            reason: string;
            /** @description `global` or `instrument`. */
            scope: components["schemas"]["SwitchScope"];
        };
        /**
         * Switches
         * @description The kill switches that are on, the global one first. Those of users are in their limits.
         */
        Switches: {
            /** Switches */
            switches: components["schemas"]["Switch"][];
        };
        /**
         * SwitchScope
         * @description Whose new orders a kill switch stops.
         * @enum {string}
         */
        SwitchScope: "global" | "instrument" | "user";
        /**
         * SwitchSetter
         * @description Party that has set a kill switch, and can lift it.
         * @enum {string}
         */
        SwitchSetter: "user" | "administrator";
        /**
         * SwitchSetting
         * @description Whether a kill switch is on, and why.
         */
        SwitchSetting: {
            /** Is On */
            is_on: boolean;
            /**
             * Reason
             * @description In the words of the administrator. Users see the reason of a switch that is on.
             */
            reason: string;
        };
        /**
         * Trade
         * @description One fill of an order.
         */
        Trade: {
            /** Key */
            key: string;
            /** Order Id */
            order_id: string;
            /** Price */
            price: string;
            product: components["schemas"]["Product"];
            /** Quantity */
            quantity: number;
            side: components["schemas"]["Side"];
            /** Trade Id */
            trade_id: string;
            /** Traded At */
            traded_at: number;
        };
        /**
         * Trades
         * @description Trades, the newest first.
         */
        Trades: {
            /** Trades */
            trades: components["schemas"]["Trade"][];
        };
        /**
         * Unfetched
         * @description A part of the range whose bars are being fetched from Upstox.
         */
        Unfetched: {
            /** From Ms */
            from_ms: number;
            /**
             * To Ms
             * @description Exclusive.
             */
            to_ms: number;
        };
        /**
         * UserEvent
         * @description One event of a user. The stream's channel `orders` sends the same messages.
         */
        UserEvent: {
            /** At */
            at: number;
            /** @default null */
            funds?: components["schemas"]["Funds"] | null;
            /**
             * @description `order`: a new state of an order. `fill`: a trade, with the order, position and funds after
             *     it. `settlement`: an expired contract was settled on paper, with the position and funds after
             *     it. `funds`: the funds have changed otherwise. `limits`: a kill switch of the user or the loss
             *     lock was set or lifted.
             */
            kind: components["schemas"]["EventKind"];
            /** @default null */
            limits?: components["schemas"]["Limits"] | null;
            /** @default null */
            order?: components["schemas"]["OrderView"] | null;
            /** @default null */
            position?: components["schemas"]["PositionView"] | null;
            /**
             * Seq
             * @description Number of the event of this user; rises by one.
             */
            seq: number;
            /** @default null */
            trade?: components["schemas"]["Trade"] | null;
        };
        /**
         * Validity
         * @description How long an order remains in the market.
         * @enum {string}
         */
        Validity: "DAY" | "IOC";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description How long the response may be cached. */
        "Cache-Control": string;
        /** @description Send it as `If-None-Match` to get 304 if the content has not changed. */
        ETag: string;
        /** @description With 201: the path of the order. */
        Location: string;
        /** @description `r` requests remain; the full quota is available in `t` seconds. */
        RateLimit: string;
        /** @description At most `q` requests in `w` seconds. */
        "RateLimit-Policy": string;
        /** @description `00-<trace id>-<span id>-<flags>`; quote the trace id in a report of a problem. */
        traceresponse: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    gatewayFigures: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Figures"];
                };
            };
        };
    };
    historyFigures: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredHistory"];
                };
            };
        };
    };
    killSwitches: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switches"];
                };
            };
        };
    };
    setGlobalKillSwitch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchSetting"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switch"];
                };
            };
        };
    };
    setInstrumentKillSwitch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Instrument key, percent-encoded: `NSE_EQ%7CINE002A01018`. */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchSetting"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switch"];
                };
            };
        };
    };
    setUserKillSwitch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `user_id` of the account. */
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchSetting"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
        };
    };
    userEvents: {
        parameters: {
            query?: {
                /** @description The last `seq` that the client knows; 0 for the first page. */
                after?: number;
                /** @description Maximum number of events on a page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The `user_id` of the account. */
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Events"];
                };
            };
        };
    };
    userLimits: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header?: never;
            path: {
                /** @description The `user_id` of the account. */
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
        };
    };
    liftLossLock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `user_id` of the account. */
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LossLockLift"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
        };
    };
    userOrders: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
                /** @description Maximum number of results. */
                limit?: number;
                /** @description `true`: only orders that can still be filled. */
                open_only?: boolean;
            };
            header?: never;
            path: {
                /** @description The `user_id` of the account. */
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Orders"];
                };
            };
        };
    };
    bars: {
        parameters: {
            query: {
                /** @description `next` of the previous page. All other parameters must be the same, except `limit`. */
                cursor?: string;
                /** @description Unix milliseconds, a date (00:00 IST), or a time with its offset. */
                from: string;
                /**
                 * @description The length of a bar. Bars of 15m, 1h and 1d are aggregated from five-minute bars; those of
                 *     1m, 3m and 30m are Upstox's candles, read on request.
                 */
                interval?: "1m" | "3m" | "5m" | "15m" | "30m" | "1h" | "1d";
                /** @description Upstox's instrument key, e.g. `NSE_EQ|INE002A01018`. */
                key: string;
                /** @description Maximum number of bars on a page. */
                limit?: number;
                /** @description As `from`; if absent, there is no upper limit. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bars"];
                };
            };
        };
    };
    funds: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Funds"];
                };
            };
        };
    };
    gaps: {
        parameters: {
            query: {
                /** @description `next` of the previous page. All other parameters must be the same, except `limit`. */
                cursor?: string;
                /** @description Unix milliseconds, a date (00:00 IST), or a time with its offset. */
                from: string;
                /** @description Upstox's instrument key, e.g. `NSE_EQ|INE002A01018`. */
                key: string;
                /** @description Maximum number of gaps on a page. */
                limit?: number;
                /** @description As `from`; if absent, there is no upper limit. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gaps"];
                };
            };
        };
    };
    holdings: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Holdings"];
                };
            };
        };
    };
    instruments: {
        parameters: {
            query?: {
                /** @description Only contracts that expire on this date, `YYYY-MM-DD`. */
                expiry?: string;
                /** @description Instrument keys, repeated or separated by commas, instead of `q`. */
                keys?: string[];
                /** @description Maximum number of instruments that match `q`. */
                limit?: number;
                /** @description Symbol, name, ISIN or part of a contract: `reliance`, `nifty 24000 ce`. Best match first. */
                q?: string;
                /** @description Only of these segments: `NSE_EQ`, `NSE_FO`, `NSE_INDEX`, `MCX_FO` and others. */
                segment?: string[];
                /** @description Only of these types: `EQ`, `INDEX`, `FUT`, `CE`, `PE` and others. */
                type?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instruments"];
                };
            };
        };
    };
    instrument: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Instrument key, percent-encoded: `NSE_EQ%7CINE002A01018`. */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstrumentDetail"];
                };
            };
        };
    };
    setKillSwitch: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KillSwitchSetting"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KillSwitch"];
                };
            };
        };
    };
    limits: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
        };
    };
    upstoxLink: {
        parameters: {
            query: {
                /**
                 * @description `trading`: the account of the user's orders. `feed`: the account whose market feed the system
                 *     uses; administrators only.
                 */
                purpose: components["schemas"]["LinkPurpose"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
        };
    };
    linkUpstox: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewLogin"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkBeginReply"];
                };
            };
        };
    };
    unlinkUpstox: {
        parameters: {
            query: {
                /**
                 * @description `trading`: the account of the user's orders. `feed`: the account whose market feed the system
                 *     uses; administrators only.
                 */
                purpose: components["schemas"]["LinkPurpose"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
        };
    };
    finishUpstoxLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginEnd"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
        };
    };
    requestUpstoxToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Renewal"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
        };
    };
    option_chain: {
        parameters: {
            query: {
                /** @description `YYYY-MM-DD`; by default the nearest. */
                expiry?: string;
                /** @description Instrument key of an index, a share or a future. */
                underlying: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OptionChain"];
                };
            };
        };
    };
    orders: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
                /** @description Maximum number of results. */
                limit?: number;
                /** @description `true`: only orders that can still be filled. */
                open_only?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Orders"];
                };
            };
        };
    };
    placeOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOrder"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderView"];
                };
            };
        };
    };
    cancelAllOrders: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrdersReply"];
                };
            };
        };
    };
    order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `order_id` of an order of the user. */
                order_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderDetail"];
                };
            };
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path: {
                /** @description The `order_id` of an order of the user. */
                order_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderView"];
                };
            };
        };
    };
    modifyOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path: {
                /** @description The `order_id` of an order of the user. */
                order_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderChanges"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderView"];
                };
            };
        };
    };
    previewOrderChanges: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `order_id` of an order of the user. */
                order_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderChanges"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
        };
    };
    orderEvents: {
        parameters: {
            query?: {
                /** @description The last `seq` that the client knows; 0 for the first page. */
                after?: number;
                /** @description Maximum number of events on a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Events"];
                };
            };
        };
    };
    previewOrder: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOrder"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
        };
    };
    resetPaperAccount: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Funds"];
                };
            };
        };
    };
    positions: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Positions"];
                };
            };
        };
    };
    exitAllPositions: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
            };
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrdersReply"];
                };
            };
        };
    };
    exitPosition: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
                /** @description The product of the position: one instrument can have a position in each product. */
                product: components["schemas"]["Product"];
            };
            header: {
                /**
                 * @description Chosen by the client, new for each command. A repeated command with the same key is not
                 *     executed again for at least 24 hours, and gets the same answer.
                 */
                "Idempotency-Key": string;
            };
            path: {
                /** @description Instrument key, percent-encoded: `NSE_EQ%7CINE002A01018`. */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrdersReply"];
                };
            };
        };
    };
    quotes: {
        parameters: {
            query: {
                /** @description Instrument keys, repeated or separated by commas. */
                keys: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Quotes"];
                };
            };
        };
    };
    status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    trades: {
        parameters: {
            query: {
                /** @description `paper` or `upstox`. It has no default. */
                account: components["schemas"]["Account"];
                /** @description Maximum number of results. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trades"];
                };
            };
        };
    };
}
