// The rules of a shared channel in SystemC and TLM-2.0 (IEEE 1666), a transaction a burst: an implementation that has
// nothing in common with tlm3d but docs/model.md, section Channels, and so can disagree with it.
//
//     g++ -O2 shared_channel.cpp -lsystemc -o shared_channel
//     shared_channel CHANNELS.txt TRAFFIC.csv [--time] > times.csv
//
// CHANNELS.txt, one channel a line; the rate is that of all lanes together, in bit/s, as a fraction:
//     name rate_numerator rate_denominator lanes burst_bytes overhead_bits latency_ps buffer_bursts arbiter
// TRAFFIC.csv is that of `tlm3d traffic`, without quotes, columns in the order initiator,after_ps,bytes,route[,priority].
// Prints row,start_ps,finish_ps: posting and last arrival. --time: CPU seconds of sc_start() to standard error.
//
// How it maps:
//   a burst          one tlm_generic_payload, with an extension that knows its transfer and where on the route it is
//   arriving         nb_transport_fw(BEGIN_REQ); the buffer takes it at once: TLM_UPDATED, END_REQ
//   a credit         nb_transport_bw(CREDIT), an ignorable phase, when the burst leaves the buffer for the next wire;
//                    the channel that gave it away counts it `latency` later
//   all the way      TLM_COMPLETED at the end of the route, then BEGIN_RESP back to the initiator in no time
//   one delta late   what happens at time T happens in the first evaluation phase of T; every arbiter decides one delta
//                    later, and so sees all of it. A decision has no consequence at T: every duration is at least 1 ps.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

using std::string;
using std::vector;
using Ps = std::uint64_t;
using Payload = tlm::tlm_generic_payload;

TLM_DECLARE_EXTENDED_PHASE(CREDIT);

static sc_core::sc_time ps(Ps time_ps) { return sc_core::sc_time::from_value(time_ps); }
static Ps now_ps() { return sc_core::sc_time_stamp().value(); }

[[noreturn]] static void fail(const string& message) {
    std::cerr << "error: " << message << '\n';
    std::exit(2);
}

// ---------------------------------------------------------------- what is read

struct Wire {
    string name;
    unsigned __int128 rate_numerator, rate_denominator;
    Ps lanes, burst_bytes, overhead_bits, latency_ps;
    int buffer_bursts;
    string arbiter;

    Ps occupied_ps(Ps bytes) const {
        const unsigned __int128 bits = 8 * bytes + overhead_bits;
        const unsigned __int128 padded = (bits + lanes - 1) / lanes * lanes;
        return Ps((padded * 1000000000000u * rate_denominator + rate_numerator - 1) / rate_numerator);
    }
};

struct Row {
    size_t number;
    Ps after_ps, bytes;
    vector<int> route;  // channels
    int priority;
};

// ---------------------------------------------------------------- what moves

struct Transfer {
    const Row* row;
    size_t bursts_left;
    Ps start_ps;
    vector<int> credits;  // by hop; a transfer has its own, so what returns later to an earlier one is void
    vector<int> entries;  // by hop: the target socket through which its bursts come in
    vector<int> exits;    // by hop: the initiator socket through which they leave
    vector<int> slots;    // by hop: its initiator's place among the competitors there
};

struct OnRoute : tlm::tlm_extension<OnRoute> {
    Transfer* transfer = nullptr;
    int hop = 0;
    Ps arrived_ps = 0;  // at this hop
    Ps bytes = 0;

    tlm_extension_base* clone() const override { return new OnRoute(*this); }
    void copy_from(const tlm_extension_base& other) override { *this = static_cast<const OnRoute&>(other); }
};

static OnRoute& on_route(Payload& burst) { return *burst.get_extension<OnRoute>(); }

class Pool : public tlm::tlm_mm_interface {
public:
    Payload& burst(Transfer& transfer, Ps bytes) {
        if (free_.empty()) {
            all_.push_back(std::make_unique<Payload>(this));
            all_.back()->set_extension(new OnRoute);
            free_.push_back(all_.back().get());
        }
        Payload& burst = *free_.back();
        free_.pop_back();
        burst.acquire();
        burst.set_command(tlm::TLM_WRITE_COMMAND);
        burst.set_data_length(unsigned(bytes));
        burst.set_streaming_width(unsigned(bytes));
        burst.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        OnRoute& place = on_route(burst);
        place.transfer = &transfer;
        place.hop = 0;
        place.bytes = bytes;
        return burst;
    }
    void free(Payload* burst) override { free_.push_back(burst); }

private:
    vector<std::unique_ptr<Payload>> all_;
    vector<Payload*> free_;
};

// ---------------------------------------------------------------- modules

template <class Module>
using Out = tlm_utils::simple_initiator_socket_tagged<Module>;
template <class Module>
using In = tlm_utils::simple_target_socket_tagged<Module>;

class Channel : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(Channel);

    Channel(sc_core::sc_module_name name, const Wire& wire, int ins, int outs) : sc_module(name), wire_(wire) {
        for (int tag = 0; tag < ins; ++tag) {
            ins_.push_back(std::make_unique<In<Channel>>(sc_core::sc_gen_unique_name("in")));
            ins_.back()->register_nb_transport_fw(this, &Channel::nb_transport_fw, tag);
        }
        for (int tag = 0; tag < outs; ++tag) {
            outs_.push_back(std::make_unique<Out<Channel>>(sc_core::sc_gen_unique_name("out")));
            outs_.back()->register_nb_transport_bw(this, &Channel::nb_transport_bw, tag);
        }
        SC_METHOD(decide);
        sensitive << decision_;
        dont_initialize();
        SC_METHOD(becomes_free);
        sensitive << free_;
        dont_initialize();
        SC_METHOD(arrive);
        sensitive << arrival_;
        dont_initialize();
        SC_METHOD(take_credits);
        sensitive << credit_;
        dont_initialize();
    }

    In<Channel>& in(int tag) { return *ins_[size_t(tag)]; }
    Out<Channel>& out(int tag) { return *outs_[size_t(tag)]; }

    // Competitors are kept in name order; `rank` is that order among all initiators. Called in order of rank.
    void add_competitor(int rank) {
        slot_of_[rank] = int(slots_.size());
        slots_.emplace_back();
    }
    int slot_of(int rank) const { return slot_of_.at(rank); }

private:
    struct Slot {
        std::deque<Payload*> bursts;  // arrived, not yet started
    };

    tlm::tlm_sync_enum nb_transport_fw(int, Payload& burst, tlm::tlm_phase& phase, sc_core::sc_time&) {
        OnRoute& place = on_route(burst);
        place.arrived_ps = now_ps();
        slots_[size_t(place.transfer->slots[size_t(place.hop)])].bursts.push_back(&burst);
        decision_.notify(sc_core::SC_ZERO_TIME);
        phase = tlm::END_REQ;
        return tlm::TLM_UPDATED;
    }

    tlm::tlm_sync_enum nb_transport_bw(int, Payload& burst, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
        OnRoute& place = on_route(burst);
        if (phase == CREDIT) {  // the burst is one hop further by now
            returning_.emplace_back(now_ps() + wire_.latency_ps, &place.transfer->credits[size_t(place.hop) - 1]);
            if (returning_.size() == 1) credit_.notify(ps(wire_.latency_ps));
            return tlm::TLM_ACCEPTED;
        }
        return respond(burst, place, delay);
    }

    // BEGIN_RESP goes back over the socket through which the burst came in here.
    tlm::tlm_sync_enum respond(Payload& burst, OnRoute& place, sc_core::sc_time& delay) {
        --place.hop;
        tlm::tlm_phase phase = tlm::BEGIN_RESP;
        return in(place.transfer->entries[size_t(place.hop)])->nb_transport_bw(burst, phase, delay);
    }

    void becomes_free() { decision_.notify(sc_core::SC_ZERO_TIME); }

    void take_credits() {
        while (!returning_.empty() && returning_.front().first == now_ps()) {
            ++*returning_.front().second;
            returning_.pop_front();
        }
        if (!returning_.empty()) credit_.notify(ps(returning_.front().first - now_ps()));
        decision_.notify(sc_core::SC_ZERO_TIME);
    }

    void arrive() {
        while (!under_way_.empty() && under_way_.front().first == now_ps()) {
            Payload& burst = *under_way_.front().second;
            under_way_.pop_front();
            OnRoute& place = on_route(burst);
            Out<Channel>& exit = out(place.transfer->exits[size_t(place.hop)]);
            ++place.hop;
            tlm::tlm_phase phase = tlm::BEGIN_REQ;
            sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
            if (exit->nb_transport_fw(burst, phase, delay) == tlm::TLM_COMPLETED) respond(burst, place, delay);
        }
        if (!under_way_.empty()) arrival_.notify(ps(under_way_.front().first - now_ps()));
    }

    bool eligible(const Slot& slot) const {
        if (slot.bursts.empty()) return false;
        const OnRoute& place = on_route(*slot.bursts.front());
        const bool is_last = size_t(place.hop) + 1 == place.transfer->row->route.size();
        return is_last || place.transfer->credits[size_t(place.hop)] > 0;
    }

    void decide() {
        if (now_ps() < busy_until_ps_) return;
        const int winner = choose();
        if (winner >= 0) start(winner);
    }

    // Smallest key; of equals the first in cyclic name order after the last one served, for `oldest` the first by name.
    int choose() const {
        const bool by_age = wire_.arbiter == "oldest", by_number = wire_.arbiter == "priority";
        const int n = int(slots_.size()), from = by_age ? 0 : last_served_ + 1;
        int best = -1;
        Ps best_key = 0;
        for (int i = 0; i < n; ++i) {
            const int at = from + i < n ? from + i : from + i - n;
            const Slot& slot = slots_[size_t(at)];
            if (!eligible(slot)) continue;
            const OnRoute& place = on_route(*slot.bursts.front());
            if (!by_age && !by_number) return at;
            const Ps key = by_age ? place.arrived_ps : Ps(place.transfer->row->priority);
            if (best < 0 || key < best_key) best = at, best_key = key;
        }
        return best;
    }

    void start(int winner) {
        Payload& burst = *slots_[size_t(winner)].bursts.front();
        slots_[size_t(winner)].bursts.pop_front();
        last_served_ = winner;
        OnRoute& place = on_route(burst);
        --place.transfer->credits[size_t(place.hop)];
        const Ps occupied_ps = wire_.occupied_ps(place.bytes);
        busy_until_ps_ = now_ps() + occupied_ps;
        free_.notify(ps(occupied_ps));
        under_way_.emplace_back(busy_until_ps_ + wire_.latency_ps, &burst);
        if (under_way_.size() == 1) arrival_.notify(ps(occupied_ps + wire_.latency_ps));
        if (place.hop > 0) {
            tlm::tlm_phase phase = CREDIT;
            sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
            in(place.transfer->entries[size_t(place.hop)])->nb_transport_bw(burst, phase, delay);
        }
    }

    const Wire& wire_;
    vector<std::unique_ptr<In<Channel>>> ins_;
    vector<std::unique_ptr<Out<Channel>>> outs_;
    std::map<int, int> slot_of_;
    vector<Slot> slots_;
    std::deque<std::pair<Ps, Payload*>> under_way_;
    std::deque<std::pair<Ps, int*>> returning_;
    Ps busy_until_ps_ = 0;
    int last_served_ = -1;
    sc_core::sc_event decision_, free_, arrival_, credit_;
};

// The end of every route: always accepts.
class Sink : public sc_core::sc_module {
public:
    Sink(sc_core::sc_module_name name, int ins) : sc_module(name) {
        for (int tag = 0; tag < ins; ++tag) {
            ins_.push_back(std::make_unique<In<Sink>>(sc_core::sc_gen_unique_name("in")));
            ins_.back()->register_nb_transport_fw(this, &Sink::nb_transport_fw, tag);
        }
    }

    In<Sink>& in(int tag) { return *ins_[size_t(tag)]; }

private:
    tlm::tlm_sync_enum nb_transport_fw(int, Payload& burst, tlm::tlm_phase&, sc_core::sc_time&) {
        burst.set_response_status(tlm::TLM_OK_RESPONSE);
        return tlm::TLM_COMPLETED;
    }

    vector<std::unique_ptr<In<Sink>>> ins_;
};

struct System;

class Initiator : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(Initiator);

    Initiator(sc_core::sc_module_name name, int rank, int outs, vector<Row> rows, System& system)
        : sc_module(name), rank_(rank), rows_(std::move(rows)), system_(system) {
        SC_METHOD(wake);
        sensitive << wake_;
        for (int tag = 0; tag < outs; ++tag) {
            outs_.push_back(std::make_unique<Out<Initiator>>(sc_core::sc_gen_unique_name("out")));
            outs_.back()->register_nb_transport_bw(this, &Initiator::nb_transport_bw, tag);
        }
    }

    Out<Initiator>& out(int tag) { return *outs_[size_t(tag)]; }

private:
    void wake() {  // once at the start of the simulation, then when `after_ps` have passed
        if (std::exchange(is_begun_, true)) post();
        else look_at_next_row();
    }
    void look_at_next_row() {
        if (transfers_.size() == rows_.size()) return;
        const Ps after_ps = rows_[transfers_.size()].after_ps;
        if (after_ps > 0) wake_.notify(ps(after_ps));
        else post();  // in this evaluation phase, so that it is seen now
    }
    void post();
    void finish(const Transfer& transfer);

    tlm::tlm_sync_enum nb_transport_bw(int, Payload& burst, tlm::tlm_phase& phase, sc_core::sc_time&) {
        if (phase == CREDIT) return tlm::TLM_ACCEPTED;  // the first hop takes everything; nobody waits for room there
        if (burst.get_response_status() != tlm::TLM_OK_RESPONSE) fail("a burst came back without a response");
        Transfer& transfer = *on_route(burst).transfer;
        burst.release();
        if (--transfer.bursts_left == 0) finish(transfer);
        return tlm::TLM_COMPLETED;
    }

    const int rank_;
    const vector<Row> rows_;
    System& system_;
    vector<std::unique_ptr<Out<Initiator>>> outs_;
    std::deque<Transfer> transfers_;  // all of them: credits may still be under way to one that has finished
    bool is_begun_ = false;
    sc_core::sc_event wake_;
};

// ---------------------------------------------------------------- elaboration

using Pair = std::pair<int, int>;

// One kind of connection: sockets are numbered within their module as pairs turn up, made, and then bound.
struct Wiring {
    std::map<Pair, Pair> sockets;  // (from, to) -> (out of from, in of to)

    void add(int from, int to, vector<int>& outs, vector<int>& ins) {
        const auto [at, is_new] = sockets.try_emplace({from, to}, 0, 0);
        if (is_new) at->second = {outs[size_t(from)]++, ins[size_t(to)]++};
    }
    int out(int from, int to) const { return sockets.at({from, to}).first; }
    int in(int from, int to) const { return sockets.at({from, to}).second; }
};

struct System {
    vector<Wire> wires;
    vector<std::unique_ptr<Channel>> channels;
    vector<std::unique_ptr<Initiator>> initiators;
    std::unique_ptr<Sink> sink;
    Wiring first, middle, last;       // initiator to channel, channel to channel, channel to sink (number 0)
    vector<std::pair<Ps, Ps>> times;  // by row
    Pool pool;

    void read(const string& channels_file, const string& traffic_file) {
        std::map<string, int> by_name;
        std::ifstream channels_in(channels_file);
        if (!channels_in) fail(channels_file + ": cannot be read");
        for (string line; std::getline(channels_in, line);) {
            std::istringstream words(line);
            Wire wire;
            Ps numerator, denominator;
            words >> wire.name >> numerator >> denominator >> wire.lanes >> wire.burst_bytes >> wire.overhead_bits >>
                wire.latency_ps >> wire.buffer_bursts >> wire.arbiter;
            if (!words) fail(channels_file + ": not a channel: " + line);
            wire.rate_numerator = numerator;
            wire.rate_denominator = denominator;
            by_name[wire.name] = int(wires.size());
            wires.push_back(wire);
        }
        std::map<string, vector<Row>> rows;  // std::string compares bytes, which in UTF-8 is the order of code points
        std::ifstream traffic_in(traffic_file);
        if (!traffic_in) fail(traffic_file + ": cannot be read");
        string line;
        std::getline(traffic_in, line);
        if (line.rfind("initiator,after_ps,bytes,route", 0) != 0) fail(traffic_file + ": unexpected columns: " + line);
        for (size_t number = 0; std::getline(traffic_in, line); ++number) {
            vector<string> cells = split(line, ',');
            if (cells.size() < 4) fail(traffic_file + ": not a row: " + line);
            Row row{number, std::stoull(cells[1]), std::stoull(cells[2]), {}, 0};
            for (const string& name : split(cells[3], '|')) {
                if (!by_name.count(name)) fail(traffic_file + ": unknown channel " + name);
                row.route.push_back(by_name[name]);
            }
            if (cells.size() > 4 && !cells[4].empty()) row.priority = std::stoi(cells[4]);
            rows[cells[0]].push_back(row);
            times.emplace_back(0, 0);
        }
        elaborate(rows);
    }

private:
    static vector<string> split(const string& text, char at) {
        vector<string> parts;
        std::istringstream in(text);
        for (string part; std::getline(in, part, at);) parts.push_back(part);
        return parts;
    }

    void elaborate(const std::map<string, vector<Row>>& rows) {
        vector<int> initiator_outs(rows.size()), channel_ins(wires.size()), channel_outs(wires.size()), sink_ins(1);
        vector<std::set<int>> competitors(wires.size());
        int rank = 0;
        for (const auto& [name, its_rows] : rows) {
            for (const Row& row : its_rows) {
                const vector<int>& route = row.route;
                first.add(rank, route.front(), initiator_outs, channel_ins);
                for (size_t i = 1; i < route.size(); ++i) middle.add(route[i - 1], route[i], channel_outs, channel_ins);
                last.add(route.back(), 0, channel_outs, sink_ins);
                for (int channel : route) competitors[size_t(channel)].insert(rank);
            }
            ++rank;
        }
        for (size_t i = 0; i < wires.size(); ++i) {
            const char* name = sc_core::sc_gen_unique_name("channel");
            channels.push_back(std::make_unique<Channel>(name, wires[i], channel_ins[i], channel_outs[i]));
            for (int competitor : competitors[i]) channels.back()->add_competitor(competitor);
        }
        sink = std::make_unique<Sink>("sink", sink_ins[0]);
        rank = 0;
        for (const auto& [_, its_rows] : rows) {
            const char* name = sc_core::sc_gen_unique_name("initiator");
            const int outs = initiator_outs[size_t(rank)];
            initiators.push_back(std::make_unique<Initiator>(name, rank++, outs, its_rows, *this));
        }
        for (const auto& [pair, at] : first.sockets)
            initiators[size_t(pair.first)]->out(at.first).bind(channels[size_t(pair.second)]->in(at.second));
        for (const auto& [pair, at] : middle.sockets)
            channels[size_t(pair.first)]->out(at.first).bind(channels[size_t(pair.second)]->in(at.second));
        for (const auto& [pair, at] : last.sockets)
            channels[size_t(pair.first)]->out(at.first).bind(sink->in(at.second));
    }
};

void Initiator::post() {
    const Row& row = rows_[transfers_.size()];
    const vector<int>& route = row.route;
    Ps burst_bytes = system_.wires[size_t(route[0])].burst_bytes;
    for (int channel : route) burst_bytes = std::min(burst_bytes, system_.wires[size_t(channel)].burst_bytes);
    transfers_.push_back({&row, size_t((row.bytes + burst_bytes - 1) / burst_bytes), now_ps(), {}, {}, {}, {}});
    Transfer& transfer = transfers_.back();
    for (size_t i = 0; i < route.size(); ++i) {
        const bool is_first = i == 0, is_last = i + 1 == route.size();
        transfer.credits.push_back(system_.wires[size_t(route[i])].buffer_bursts);
        transfer.slots.push_back(system_.channels[size_t(route[i])]->slot_of(rank_));
        transfer.entries.push_back(is_first ? system_.first.in(rank_, route[0])
                                            : system_.middle.in(route[i - 1], route[i]));
        transfer.exits.push_back(is_last ? system_.last.out(route[i], 0) : system_.middle.out(route[i], route[i + 1]));
    }
    Out<Initiator>& exit = out(system_.first.out(rank_, route[0]));
    for (Ps left = row.bytes; left > 0;) {
        const Ps bytes = std::min(left, burst_bytes);
        left -= bytes;
        tlm::tlm_phase phase = tlm::BEGIN_REQ;
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        exit->nb_transport_fw(system_.pool.burst(transfer, bytes), phase, delay);
    }
}

void Initiator::finish(const Transfer& transfer) {
    system_.times[transfer.row->number] = {transfer.start_ps, now_ps()};
    look_at_next_row();
}

int sc_main(int argc, char* argv[]) {
    const bool timed = argc == 4 && string(argv[3]) == "--time";
    if (argc != 3 && !timed) fail("usage: shared_channel CHANNELS.txt TRAFFIC.csv [--time]");
    sc_core::sc_set_time_resolution(1, sc_core::SC_PS);
    System system;
    system.read(argv[1], argv[2]);
    const std::clock_t begun = std::clock();
    sc_core::sc_start();
    if (timed) std::cerr << "simulation_cpu_s " << double(std::clock() - begun) / CLOCKS_PER_SEC << '\n';
    std::cout << "row,start_ps,finish_ps\n";
    for (size_t row = 0; row < system.times.size(); ++row)
        std::cout << row << ',' << system.times[row].first << ',' << system.times[row].second << '\n';
    return 0;
}
